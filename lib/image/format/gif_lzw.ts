/**
 * The LZW decoder of GIF: sub-blocks → palette indices.
 *
 * ```text
 * code size │ (length │ codes of 2 to 12 bits, lowest bit first)… │ 0
 * code < clear: an index │ clear │ end │ an earlier string and one index more
 * ```
 *
 * Own code, because npm's packages refuse or misread many files that Pillow and
 * browsers read: omggif 1.0.10 and gifuct-js 2.1.2 each fail on more than a
 * quarter of the unusual files in the tests. Source: GIF89a specification,
 * appendix F.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";

/**
 * The maximum number of codes in a table; a full one is unchanged until it is
 * cleared.
 */
const TABLE_SIZE = 2 ** 12;

/**
 * The maximum number of bits of an index; the first codes have one bit more.
 */
const MAX_INDEX_BITS = 11;

/**
 * Decodes the picture data of a frame. Data after its last pixel is ignored.
 *
 * @param at Offset of the code size, which the sub-blocks follow.
 * @param count Number of pixels in the frame.
 * @returns Palette indices `[count]` in the order of storage.
 * @throws {ImageError} If a code has no string, or the data ends before the
 * last pixel.
 */
export function decodeGifLzw(
  bytes: Uint8Array,
  at: number,
  count: number,
): Uint8Array {
  const indexBits = bytes[at] ?? 0;
  if (indexBits > MAX_INDEX_BITS) {
    throw new ImageError(
      `the GIF is damaged: its code size is ${indexBits}, more than ${MAX_INDEX_BITS}`,
    );
  }
  const read = codeReader(bytes, at + 1);
  const clear = 1 << indexBits;
  const indices = new Uint8Array(count);
  // A string is the previous one and one more index, so it is already in the
  // output, and a table of offsets suffices.
  const starts = new Uint32Array(TABLE_SIZE);
  const lengths = new Uint32Array(TABLE_SIZE);
  let size = clear + 2;
  let bits = indexBits + 1;
  let previousLength = 0; // none after a clear code, and at the start
  for (let filled = 0; filled < count;) {
    const code = read(bits);
    if (code === clear) {
      size = clear + 2;
      bits = indexBits + 1;
      previousLength = 0;
      continue;
    }
    if (code === clear + 1 || code === ENDED) {
      throw new ImageError("the GIF is truncated: pixels are missing");
    }
    if (previousLength > 0 && size < TABLE_SIZE) {
      starts[size] = filled - previousLength;
      lengths[size] = previousLength + 1;
      size++;
      if (size === 1 << bits && size < TABLE_SIZE) bits++;
    }
    if (code < clear) {
      indices[filled++] = code;
      previousLength = 1;
      continue;
    }
    if (code >= size || previousLength === 0) {
      throw new ImageError(
        "the GIF is damaged: a code has no dictionary entry",
      );
    }
    const start = starts[code]!;
    const length = Math.min(lengths[code]!, count - filled);
    // One by one, because the last index may be the first one written here.
    for (let i = 0; i < length; i++) indices[filled + i] = indices[start + i]!;
    filled += length;
    previousLength = length;
  }
  return indices;
}

/** The value of a code after the end of the data. */
const ENDED = -1;

/** Returns a reader of codes of any number of bits up to 12. */
function codeReader(
  bytes: Uint8Array,
  offset: number,
): (bits: number) => number {
  let at = offset;
  let blockEnd = offset;
  let buffer = 0;
  let buffered = 0;
  return (bits) => {
    while (buffered < bits) {
      if (at === blockEnd) {
        const length = bytes[at] ?? 0;
        if (length === 0) return ENDED;
        at++;
        blockEnd = at + length;
      }
      if (at >= bytes.length) return ENDED;
      buffer |= bytes[at++]! << buffered;
      buffered += 8;
    }
    const code = buffer & ((1 << bits) - 1);
    buffer >>>= bits;
    buffered -= bits;
    return code;
  };
}
