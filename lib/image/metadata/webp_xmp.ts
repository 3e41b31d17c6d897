/**
 * The writer of XMP into a WebP.
 *
 * ```text
 * RIFF size WEBP │ VP8X flags, canvas │ the picture's chunk, unchanged │ "XMP " packet
 * ```
 *
 * Source: RFC 9649, 2.7.
 *
 * @module
 */

import { joinBytes } from "../format/join_bytes.ts";
import type { PixelSize } from "../image.ts";

/** Bytes before the first chunk. */
const RIFF_HEADER = 12;

/** The flag of XMP in VP8X. */
const HAS_XMP = 0x04;

/**
 * Returns `webp`, a still picture without a VP8X chunk, with `packet` as its
 * XMP.
 */
export function withWebpXmp(
  webp: Uint8Array,
  { height, width }: PixelSize,
  packet: string,
): Uint8Array<ArrayBuffer> {
  const extended = new DataView(new ArrayBuffer(10));
  extended.setUint8(0, HAS_XMP);
  // Both sides minus one, in 24 bits; the bits above are overwritten or zero.
  extended.setUint32(4, width - 1, true);
  extended.setUint16(7, (height - 1) & 0xffff, true);
  extended.setUint8(9, (height - 1) >> 16);
  const chunks = [
    chunk("VP8X", new Uint8Array(extended.buffer)),
    webp.subarray(RIFF_HEADER),
    chunk("XMP ", new TextEncoder().encode(packet)),
  ];
  const marked = joinBytes([webp.subarray(0, RIFF_HEADER), ...chunks]);
  // Without "RIFF" and the length itself.
  new DataView(marked.buffer).setUint32(4, marked.length - 8, true);
  return marked;
}

/**
 * Returns a chunk: four letters, the length, the data, padding to an even
 * length.
 */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + data.length + data.length % 2);
  bytes.set(new TextEncoder().encode(name));
  new DataView(bytes.buffer).setUint32(4, data.length, true);
  bytes.set(data, 8);
  return bytes;
}
