/**
 * Attacks by pictures: few bytes that become many pixels, and many frames.
 *
 * @module
 */

import { deflateSync } from "node:zlib";
import {
  ask,
  askJson,
  type Attack,
  BUSY,
  oneOf,
  size,
  type Target,
  together,
} from "./attack.ts";

/**
 * Returns a PNG of one color, whose bytes are few whatever its size.
 *
 * @param padding Bytes in a chunk that decoders pass over.
 */
export function flatPng(
  height: number,
  width: number,
  padding = 0,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // Eight bits, RGB.
  header.set([8, 2, 0, 0, 0], 8);
  const rows = deflateSync(new Uint8Array(height * (1 + 3 * width)), {
    level: 9,
  });
  return concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("teSt", new Uint8Array(padding)),
    chunk("IDAT", new Uint8Array(rows)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** Returns a GIF of `frames` frames on a canvas of a size of its own. */
export function flatGif(
  frames: number,
  frame: number,
  canvas: number,
): Uint8Array<ArrayBuffer> {
  const sides = (side: number) => [side & 255, side >> 8];
  const head = [
    ...new TextEncoder().encode("GIF89a"),
    ...[...sides(canvas), ...sides(canvas), 0x80, 0, 0],
    ...[0, 0, 0, 255, 255, 255],
  ];
  // Codes of two bits for one color: clear, zeros by themselves, end.
  const one = [
    ...[0x21, 0xf9, 4, 0, 1, 0, 0, 0],
    ...[0x2c, 0, 0, 0, 0, ...sides(frame), ...sides(frame), 0],
    ...lzwZeros(frame * frame),
  ];
  const body = new Uint8Array(frames * one.length);
  for (let i = 0; i < frames; i++) body.set(one, i * one.length);
  return concat([Uint8Array.from(head), body, Uint8Array.of(0x3b)]);
}

/** Pixels of color 0 as GIF packs them: a clear code before each width grows. */
function lzwZeros(count: number): number[] {
  const bits: number[] = [];
  const put = (code: number) => {
    for (let bit = 0; bit < 3; bit++) bits.push(code >> bit & 1);
  };
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) put(4);
    put(0);
  }
  put(5);
  const bytes: number[] = [];
  for (let i = 0; i < bits.length; i += 8) {
    bytes.push(
      bits.slice(i, i + 8).reduce((sum, bit, at) => sum | bit << at, 0),
    );
  }
  const blocks: number[] = [2];
  for (let i = 0; i < bytes.length; i += 255) {
    const block = bytes.slice(i, i + 255);
    blocks.push(block.length, ...block);
  }
  return [...blocks, 0];
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = concat([new TextEncoder().encode(type), data]);
  const whole = new Uint8Array(body.length + 8);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  whole.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return whole;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Sends a picture to a function that takes one, in one of its ways. */
function sendPicture(
  target: Target,
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<number> {
  const path = oneOf(target.random, [
    "/v1/tokenize",
    "/v1/caption?max_tokens=1",
  ]);
  return ask(target, path, {
    method: "POST",
    body: bytes,
    headers: { "content-type": type },
  });
}

/** Made once: to pack zeros takes its time. */
const large = new Map<number, Uint8Array<ArrayBuffer>>();

function largePng(side: number): Uint8Array<ArrayBuffer> {
  const made = large.get(side) ?? flatPng(side, side);
  large.set(side, made);
  return made;
}

const pngBombs: Attack = {
  name: "PNGs of few bytes and many pixels",
  allowed: [200, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(10, () => {
      const side = oneOf(target.random, [64, 1000, 3000, 8000, 20_000, 20_000]);
      // Headers that lie, too.
      const bytes = side === 20_000
        ? lying(largePng(64), side)
        : largePng(side);
      return sendPicture(target, bytes, "image/png");
    }),
};

/** A picture whose header says another size. */
function lying(png: Uint8Array<ArrayBuffer>, side: number) {
  const copy = png.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(16, side);
  view.setUint32(20, side);
  view.setUint32(29, crc32(copy.subarray(12, 29)));
  return copy;
}

const gifFrames: Attack = {
  name: "animations of many small frames, and of large canvases",
  allowed: [200, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(6, () => {
      const { random } = target;
      const frames = size(random, 1, 30_000);
      const canvas = oneOf(random, [8, 8, 64, 4000, 8000]);
      return sendPicture(target, flatGif(frames, 8, canvas), "image/gif");
    }),
};

const manyPictures: Attack = {
  name: "many pictures in one request",
  allowed: [200, 400, 413, 415, 422, ...BUSY],
  run: (target) =>
    together(4, async () => {
      const { random } = target;
      const count = size(random, 2, 300);
      const picture = largePng(oneOf(random, [64, 1000, 4000])).toBase64();
      const list = Array(count).fill(`"${picture}"`).join();
      const [path, body] = oneOf(random, [
        ["/v1/caption", `{"images":[${list}],"max_tokens":1}`],
        ["/v1/tokenize", `{"frames":[${list}],"pad":"repeat"}`],
      ]);
      return await askJson(target, path!, body!);
    }),
};

const largeGrids: Attack = {
  name: "large grids and clips, as pixels",
  allowed: [200, 400, 406, 413, 422, ...BUSY],
  run: (target) =>
    together(4, async () => {
      const { random } = target;
      const [height, width] = [size(random, 1, 100), size(random, 1, 100)];
      const row = `[${Array(width).fill(0).join()}]`;
      const codes = `[${Array(height).fill(row).join()}]`;
      const frames = oneOf(random, [1, 2, 500]);
      const [body, accept] = oneOf(random, [
        [
          `{"grid":{"height":${height},"width":${width},"codes":${codes}}}`,
          "image/png",
        ],
        [
          `{"clip":{"frames":${frames},"height":${height},"width":${width},"codes":[${
            Array(frames).fill(codes).join()
          }]}}`,
          oneOf(random, [
            "image/apng",
            "image/gif",
            "application/zip",
            "application/json",
          ]),
        ],
      ]);
      return await askJson(target, "/v1/detokenize", body!, {
        accept: accept!,
      });
    }),
};

/** Attacks by pictures. */
export const PICTURE_ATTACKS: readonly Attack[] = [
  pngBombs,
  gifFrames,
  manyPictures,
  largeGrids,
];
