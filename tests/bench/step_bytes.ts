/**
 * What a decode step reads: every weight of the layers and of a head, once,
 * however many rows it has. Over the bandwidth that is its ceiling.
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
 * Bytes of weights that a step reads, as they are in memory. Keys and values,
 * which grow with the position, are left out, and so is the embedding, of which
 * a row is read.
 *
 * @param rows Of the head: the tokens that it judges.
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
