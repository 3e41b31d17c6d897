/**
 * The conversion of a chunk's bytes.
 *
 * @module
 */

import { bytesOf, floatsOf, toBfloat16 } from "../loading/floats.ts";
import { type BlockOptions, quantizeRows } from "./quantize_rows.ts";
import type { Conversion } from "./recipe.ts";

/**
 * Returns the results of a chunk, in the order of the plan's targets.
 *
 * @param bytes Elements of `dtype`, aligned to their size.
 * @throws {RangeError} If a weight is not finite.
 */
export function convert(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: string,
  conversion: Conversion,
): Uint8Array<ArrayBuffer>[] {
  switch (conversion.kind) {
    case "copy":
      return [bytes];
    case "halve":
      return [bytesOf(toBfloat16(floatsOf(bytes, dtype)))];
    case "quantize":
      return quantized(floatsOf(bytes, dtype), conversion);
    default:
      throw conversion satisfies never;
  }
}

function quantized(
  values: Float32Array,
  options: BlockOptions,
): Uint8Array<ArrayBuffer>[] {
  const { codes, scales } = quantizeRows(values, options);
  return [codes, bytesOf(scales)];
}
