/**
 * What tokens see that do not follow one another, as attention takes it.
 *
 * @module
 */

import type { ComputeDtype } from "../runtime/provider.ts";

/**
 * Added to what is not to be seen, and then left of it after a softmax: nothing.
 * Not −∞, of which a whole block would give no number; and in the range of half
 * floats.
 */
const UNSEEN = -60_000;
/** As a half float. */
const UNSEEN_HALF = new Uint16Array(
  Float16Array.of(UNSEEN).buffer,
)[0]!;

/**
 * `[1, 1, S, total]`: nothing for what a token sees, else all but −∞.
 *
 * @param places Of each token that the slot will hold, the held ones first.
 * @param held Tokens that the slot holds.
 * @throws {RangeError} When places of new tokens do not ascend.
 */
export function attentionBias(
  places: Int32Array,
  held: number,
  dtype: ComputeDtype,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  if (dtype === "bfloat16") {
    throw new TypeError("Cannot place tokens: no device does so in bf16");
  }
  const total = places.length;
  const count = total - held;
  const half = dtype === "float16";
  const unseen = half ? UNSEEN_HALF : UNSEEN;
  const bias = half
    ? new Uint16Array(count * total)
    : new Float32Array(count * total);
  for (let query = 0; query < count; query++) {
    const place = places[held + query]!;
    if (query > 0 && place <= places[held + query - 1]!) {
      throw new RangeError("Cannot place tokens: places of a run ascend");
    }
    for (let key = 0; key < total; key++) {
      if (places[key]! > place) bias[query * total + key] = unseen;
    }
  }
  return bias;
}
