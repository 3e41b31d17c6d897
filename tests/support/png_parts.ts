/**
 * The writer of PNGs for tests: any chunks, damaged ones included.
 *
 * @module
 */

import { crc32, deflateSync } from "node:zlib";
import { PNG_SIGNATURE } from "../../lib/image/format/png.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import type { PngChunk } from "../../lib/image/format/png_metadata.ts";

/** A chunk that may have a wrong CRC, or be truncated. */
export interface OddChunk extends PngChunk {
  /** Bits to flip in the CRC. */
  readonly flip?: number;
}

/** Writes chunks as they are. */
export function oddPng(
  chunks: readonly OddChunk[],
  after: readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  const parts = chunks.map(({ type, data, flip = 0 }) => {
    const bytes = new Uint8Array(12 + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, data.length);
    bytes.set(latin1(type), 4);
    bytes.set(data, 8);
    const checksum = crc32(bytes.subarray(4, 8 + data.length));
    view.setUint32(8 + data.length, (checksum ^ flip) >>> 0);
    return bytes;
  });
  return new Uint8Array([
    ...PNG_SIGNATURE,
    ...parts.flatMap((part) => [...part]),
    ...after,
  ]);
}

/** Returns the bytes of Latin-1 text. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Creates a chunk. */
export function chunk(
  type: string,
  data: Iterable<number> | string = [],
): OddChunk {
  return {
    type,
    data: typeof data === "string" ? latin1(data) : Uint8Array.from(data),
  };
}

/** Encodes numbers in four bytes each, the highest first. */
export function uint32s(...values: number[]): number[] {
  return values.flatMap((value) => [
    value >>> 24,
    value >>> 16 & 255,
    value >>> 8 & 255,
    value & 255,
  ]);
}

/** Creates an IHDR of 8 bits per sample. */
export function header({ height, width }: RgbImage, colorType = 2): OddChunk {
  return chunk("IHDR", [...uint32s(width, height), 8, colorType, 0, 0, 0]);
}

/** Returns rows with each of the five filters in turn. */
function filtered({ height, width, pixels }: RgbImage): number[] {
  const stride = 3 * width;
  const at = (y: number, x: number) =>
    y < 0 || x < 0 ? 0 : pixels[y * stride + x]!;
  const out: number[] = [];
  for (let y = 0; y < height; y++) {
    const filter = y % 5;
    out.push(filter);
    for (let x = 0; x < stride; x++) {
      const [a, b, c] = [
        at(y, x - 3),
        at(y - 1, x),
        x < 3 ? 0 : at(y - 1, x - 3),
      ];
      const guess = [0, a, b, (a + b) >> 1, nearest(a, b, c)][filter]!;
      out.push(at(y, x) - guess & 255);
    }
  }
  return out;
}

/** Returns Paeth's predictor, as in the specification. */
function nearest(a: number, b: number, c: number): number {
  const p = a + b - c;
  const order = [a, b, c].map((value) => Math.abs(p - value));
  return [a, b, c][order.indexOf(Math.min(...order))]!;
}

/** Compresses a picture's rows, and bytes after them. */
export function deflated(
  image: RgbImage,
  more: readonly number[] = [],
): number[] {
  return [...deflateSync(Uint8Array.from([...filtered(image), ...more]))];
}
