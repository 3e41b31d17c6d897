/**
 * The bytes that a decode step reads: every weight of the layers and of a head,
 * once for any number of rows. Divided by the bandwidth, they are its lower
 * bound.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { decoderGraph, headGraph } from "../../models/decoder.ts";
import {
  type Dtype,
  DTYPE_BYTES,
  elementCount,
} from "../../models/graph/dtype.ts";
import type { Rows } from "../../models/graph/weights.ts";

/**
 * Returns the bytes of weights that a step reads, in memory. The KV cache,
 * which grows with the position, is left out, and so is the embedding, of which
 * one row is read.
 *
 * @param rows Rows of the head: the tokens that it scores.
 */
export function stepBytes(
  { config, weights }: LanguageCheckpoint,
  rows: Rows,
  computeDtype: Dtype = "float32",
): number {
  const graphs = [
    decoderGraph(config, weights, {
      computeDtype,
      supplied: true,
      positions: 1,
      cacheDtype: "float32",
      arrangement: { type: "step" },
    }),
    headGraph(config, weights, {
      computeDtype,
      supplied: true,
      rows,
    }),
  ];
  const read = graphs.flatMap(({ supplied }) => supplied)
    .filter(({ name }) => !name.includes("embed_tokens"));
  return read.reduce(
    (sum, { dtype, shape }) => sum + elementCount(shape) * DTYPE_BYTES[dtype],
    0,
  );
}
