/**
 * The location of a tensor: its file and range of bytes.
 *
 * @module
 */

import { parse, relative } from "node:path";
import type { Dtype } from "../../models/graph/dtype.ts";
import type { StoredTensor } from "../../models/graph/weights.ts";
import type { SafetensorsEntry } from "./safetensors.ts";

/** A tensor and the path of its file. */
export interface LocatedTensor extends SafetensorsEntry {
  /** Absolute path of the file. */
  readonly path: string;
}

/** Types of weights that graphs support. */
export const WEIGHT_DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
]);

/**
 * Returns a graph's reference to a tensor, whose bytes are interpreted as
 * `dtype` and `shape`.
 */
export function storedTensor(
  { path, offset, length }: LocatedTensor,
  dtype: Dtype,
  shape: readonly number[],
): StoredTensor {
  const location = relative(parse(path).root, path).replaceAll("\\", "/");
  return { dtype, shape, location, offset, length };
}
