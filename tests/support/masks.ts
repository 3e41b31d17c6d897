/**
 * The masks of edits: black PNGs with transparency.
 *
 * @module
 */

import { crc32, deflateSync } from "node:zlib";
import type { PixelSize } from "../../lib/image/image.ts";

/** Writes a PNG of `size` with opacity `alpha` at each pixel, 0–255. */
export function maskPng(
  { height, width }: PixelSize,
  alpha: (y: number, x: number) => number,
): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array(height * (1 + 4 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows[y * (1 + 4 * width) + 4 + 4 * x] = alpha(y, x);
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 6], 8);
  return Uint8Array.from([
    ...[137, 80, 78, 71, 13, 10, 26, 10],
    ...chunk("IHDR", header),
    ...chunk("IDAT", deflateSync(rows)),
    ...chunk("IEND", new Uint8Array()),
  ]);
}

/** Writes a chunk: length, type, data, checksum. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}
