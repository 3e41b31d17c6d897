/**
 * The animated GIF: GIFs of one frame and one size, joined.
 *
 * ```text
 * "GIF89a" │ screen, palette │ loop │ graphic control │ image, its palette │ … │ trailer
 * ```
 *
 * ImageScript gives each frame a palette of its own, so that frames do not
 * depend on each other, and no two frames of pixels exist at once. Source:
 * GIF89a specification.
 *
 * @module
 */

import { joinBytes } from "../format/join_bytes.ts";
import { gifBlocksStart } from "../format/gif.ts";

/** Bytes of NETSCAPE's loop, the first block. */
const LOOP_BYTES = 19;

/** The last byte of a GIF. */
const TRAILER = 0x3b;

/**
 * Returns an animation of GIFs by `encodeGif()`, which loops forever.
 *
 * @throws {RangeError} If there is no GIF, or sizes differ.
 */
export function joinGifs(gifs: readonly Uint8Array[]): Uint8Array {
  const [first] = gifs;
  if (first === undefined) {
    throw new RangeError("an animation needs at least one frame");
  }
  const head = first.subarray(0, gifBlocksStart(first) + LOOP_BYTES);
  const parts = gifs.map((gif) => {
    if (!head.every((byte, i) => byte === gif[i])) {
      throw new RangeError(
        "all frames of an animation must have the same size",
      );
    }
    return gif.subarray(head.length, -1);
  });
  return joinBytes([head, ...parts, Uint8Array.of(TRAILER)]);
}
