/**
 * The writer of XMP into a GIF.
 *
 * ```text
 * GIF89a screen palette │ 21 ff 0b "XMP DataXMP" packet trailer │ the other blocks, unchanged
 * ```
 *
 * The packet is not cut into sub-blocks: readers that search files find it
 * whole. To others its bytes are lengths of sub-blocks, and wherever they enter
 * the trailer, each of its bytes leads to the terminator. Source: XMP
 * Specification Part 3, 1.1.2.
 *
 * @module
 */

import { joinBytes } from "../format/join_bytes.ts";
import { gifBlocksStart } from "../format/gif.ts";

/** Returns `gif`, in version 89a, with `packet` as its XMP. */
export function withGifXmp(
  gif: Uint8Array,
  packet: string,
): Uint8Array<ArrayBuffer> {
  const start = gifBlocksStart(gif);
  const encoder = new TextEncoder();
  return joinBytes([
    gif.subarray(0, start),
    Uint8Array.of(0x21, 0xff, 11),
    encoder.encode("XMP DataXMP"),
    encoder.encode(packet),
    trailer(),
    gif.subarray(start),
  ]);
}

/** Returns 01 ff fe … 01 00 00: every byte jumps to the last but one. */
function trailer(): Uint8Array {
  const bytes = new Uint8Array(258);
  bytes[0] = 1;
  for (let i = 0; i < 256; i++) bytes[1 + i] = 255 - i;
  return bytes;
}
