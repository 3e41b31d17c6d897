/**
 * Codes between their forms: the bytes of a job's answer, and rows in JSON.
 *
 * @module
 */

import { UnansweredError } from "../emu3/emu3_errors.ts";
import type { Drawn } from "../schema/codes.ts";

/**
 * Returns the picture in the result of a generation: u16 little-endian, row by
 * row, in base64.
 *
 * @throws {UnansweredError} If the result holds no codes.
 */
export function drawnFrom(
  result: Readonly<Record<string, unknown>>,
  seed: number,
): Drawn {
  const { grid_height: height, grid_width: width, b64_json: base64 } = result;
  if (
    typeof height !== "number" || typeof width !== "number" ||
    typeof base64 !== "string"
  ) {
    throw new UnansweredError("the result of the job holds no codes");
  }
  const bytes = Uint8Array.fromBase64(base64);
  const view = new DataView(bytes.buffer);
  const codes = Array.from({ length: height }, (_, y) =>
    Array.from(
      { length: width },
      (_, x) => view.getUint16(2 * (y * width + x), true),
    ));
  return { seed, grid: { height, width, codes } };
}
