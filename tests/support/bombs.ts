/**
 * The decompression bombs: small files that declare huge pictures, or many.
 *
 * @module
 */

import { createDeflate } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { writeChunks } from "../../lib/image/format/png.ts";
import type { PixelSize } from "../../lib/image/image.ts";

/**
 * Writes a valid PNG of a single color: RGB with alpha, 8 bits.
 *
 * @param padding Bytes of an ancillary chunk that decoders skip.
 */
export async function plainPng(
  height: number,
  width: number,
  padding = 0,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 6], 8);
  const row = new Uint8Array(4 * width + 1);
  const parts: Uint8Array[] = [];
  const rows = Readable.from(Array.from({ length: height }, () => row));
  await pipeline(rows, createDeflate(), async (source) => {
    for await (const part of source) parts.push(part);
  });
  const data = parts.map((data) => ({ type: "IDAT", data }));
  return new Uint8Array(writeChunks([
    { type: "IHDR", data: header },
    { type: "teSt", data: new Uint8Array(padding) },
    ...data,
    { type: "IEND", data: new Uint8Array() },
  ]));
}

/**
 * Writes a valid GIF of `frames` frames of one color.
 *
 * @param frame Size of a frame; that of the canvas by default.
 */
export function plainGif(
  canvas: PixelSize,
  frames: number,
  frame: PixelSize = canvas,
): Uint8Array<ArrayBuffer> {
  const uint16 = (value: number) => [value & 255, value >> 8];
  const block = [
    ...[0x21, 0xf9, 4, 0, 10, 0, 0, 0],
    ...[0x2c, 0, 0, 0, 0, ...uint16(frame.width), ...uint16(frame.height), 0],
    ...blocks(frame.height * frame.width),
  ];
  const head = [
    ...new TextEncoder().encode("GIF89a"),
    ...uint16(canvas.width),
    ...uint16(canvas.height),
    ...[0x80, 0, 0, 0, 0, 0, 255, 255, 255],
  ];
  const gif = new Uint8Array(head.length + frames * block.length + 1);
  gif.set(head);
  for (let i = 0; i < frames; i++) {
    gif.set(block, head.length + i * block.length);
  }
  gif[gif.length - 1] = 0x3b;
  return gif;
}

/**
 * Encodes `count` pixels of index 0 in codes of three bits, with a clear before
 * they grow.
 */
function blocks(count: number): number[] {
  const codes = [4];
  for (let i = 0; i < count; i++) {
    codes.push(0);
    if (i % 2 === 1) codes.push(4);
  }
  codes.push(5);
  const bits = codes.flatMap((code) => [code & 1, code >> 1 & 1, code >> 2]);
  const bytes: number[] = [];
  for (let i = 0; i < bits.length; i += 8) {
    bytes.push(bits.slice(i, i + 8).reduce((sum, bit, j) => sum | bit << j, 0));
  }
  const out = [2];
  for (let i = 0; i < bytes.length; i += 255) {
    const block = bytes.slice(i, i + 255);
    out.push(block.length, ...block);
  }
  return [...out, 0];
}
