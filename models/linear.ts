/**
 * The two ways in which a decoder reads a weight matrix: as a linear layer and
 * as a table of embeddings. The one place that knows that a matrix may be
 * stored in few bits.
 *
 * @module
 */

import type { Graph, Value } from "./graph/graph.ts";
import type { Rows } from "./graph/weights.ts";

/**
 * `MatMulNBits` multiplies activations rounded to int8: on a CPU several times
 * as fast as multiplying them in fp32, and the only way that has a kernel for
 * codes of 8 bits.
 */
const INT8_ACTIVATIONS = 4;

/** It multiplies them as they are. */
const WHOLE_ACTIVATIONS = 0;

/**
 * `x · Wᵀ` with W as the checkpoint stores it, `[out, in]`.
 *
 * @param name Of the layer; its matrix is `{name}.weight`.
 * @param rows Only these outputs; their rows are read in place.
 */
export function linear(
  g: Graph,
  x: Value,
  name: string,
  shape: readonly [number, number],
  rows?: Rows,
): Value {
  const key = `${name}.weight`;
  const quantized = g.quantizedWeight(key, shape, rows);
  if (quantized === undefined && g.options.transposed) {
    return g.apply("MatMul", [x, g.transposedWeight(key, shape, rows)]);
  }
  if (quantized === undefined) {
    return g.apply("FusedMatMul", [x, g.weight(key, shape, rows)], {
      transB: 1,
    });
  }
  const [outputs, inputs] = shape;
  const { bits, blockSize, codes, scales } = quantized;
  return g.apply("MatMulNBits", [x, codes, scales], {
    N: rows?.count ?? outputs,
    K: inputs,
    bits,
    block_size: blockSize,
    accuracy_level: g.options.wholeActivations
      ? WHOLE_ACTIVATIONS
      : INT8_ACTIVATIONS,
  });
}

/**
 * Rows of a table. Unless tables are cast, only rows are, so that the table
 * stays mapped whatever type it is stored in.
 *
 * @param ids `[…]`
 * @param name Of the layer; its table is `{name}.weight`, `[V, E]`.
 * @returns `[…, E]`
 */
export function embedding(
  g: Graph,
  ids: Value,
  name: string,
  shape: readonly [number, number],
): Value {
  const key = `${name}.weight`;
  if (g.options.castTables) {
    return g.apply("Gather", [g.weight(key, shape), ids]);
  }
  const { value, dtype } = g.storedWeight(key, shape);
  const vectors = g.apply("Gather", [value, ids]);
  return dtype === g.computeDtype ? vectors : g.cast(vectors, g.computeDtype);
}
