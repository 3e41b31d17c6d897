/**
 * The two uses of a weight matrix in a decoder: a linear layer and an embedding
 * table. Only this module handles quantized matrices.
 *
 * @module
 */

import type { Graph, Value } from "./graph/graph.ts";
import type { Rows } from "./graph/weights.ts";

/**
 * The accuracy level of `MatMulNBits` that rounds activations to int8: on a CPU
 * several times as fast as fp32, and the only one with a kernel for codes of 8
 * bits.
 */
const INT8_ACTIVATIONS = 4;

/** The accuracy level that keeps the type of activations. */
const WHOLE_ACTIVATIONS = 0;

/**
 * Adds `x · Wᵀ` with W as the checkpoint stores it, `[out, in]`.
 *
 * @param name Name of the layer; its matrix is `{name}.weight`.
 * @param rows Rows of the matrix, one per output, read in place; all by
 * default.
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
 * Looks up rows of a table. Unless tables are cast, only the rows are cast, so
 * that the table stays mapped in any stored type.
 *
 * @param ids Row indices, `[…]`.
 * @param name Name of the layer; its table is `{name}.weight`, `[V, E]`.
 * @returns Rows, `[…, E]`.
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
