/**
 * The WebPs of unusual encoders: the chunks of a still, rearranged.
 *
 * @module
 */

import {
  readWebpChunks,
  readWebpHeader,
  type WebpChunk,
  writeWebpChunks,
} from "../../lib/image/format/webp.ts";
import { goldenBytes } from "./pictures.ts";

/** Lossless still whose transparent pixels have colors. */
export const STILL_WEBP: Uint8Array = goldenBytes("preprocess/alpha.webp");

const { height, width } = readWebpHeader(STILL_WEBP);

const PICTURE = readWebpChunks(STILL_WEBP).filter(({ name }) =>
  /^(ALPH|VP8 |VP8L)$/.test(name)
);

/** Flags of the extended header. */
const ANIMATION = 0x02;
const ALPHA = 0x10;

function extended(flags: number): WebpChunk {
  const data = new Uint8Array(10);
  data[0] = flags;
  data.set([width - 1, 0, 0, height - 1, 0, 0], 4);
  return { name: "VP8X", data };
}

/** A frame of the still: its flags, and its stated size and offset. */
export interface FrameParts {
  /** True to blend it over the previous frame. */
  readonly over?: boolean;
  /** True to clear its area afterwards. */
  readonly clear?: boolean;
  /** Reserved bits. */
  readonly reserved?: number;
  /** Stated width in pixels. */
  readonly statedWidth?: number;
  /** Left offset in pixels. */
  readonly left?: number;
  /** Bytes to remove from the end of its data. */
  readonly cut?: number;
}

function frame(parts: FrameParts): WebpChunk {
  const { over = false, clear = false, reserved = 0, cut = 0 } = parts;
  const { statedWidth = width, left = 0 } = parts;
  const data = writeWebpChunks(PICTURE).subarray(12);
  const place = [left >> 1, 0, 0, 0, 0, 0];
  const size = [statedWidth - 1, 0, 0, height - 1, 0, 0];
  const flags = (over ? 0 : 2) | (clear ? 1 : 0) | reserved;
  return {
    name: "ANMF",
    data: Uint8Array.of(
      ...place,
      ...size,
      ...[50, 0, 0],
      flags,
      ...data.subarray(0, data.length - cut),
    ),
  };
}

/** Writes an animation of the still. */
export function stillAnimation(...frames: FrameParts[]): Uint8Array {
  const start = [
    extended(ALPHA | ANIMATION),
    { name: "ANIM", data: new Uint8Array(6) },
  ];
  return writeWebpChunks([...start, ...frames.map(frame)]);
}

/** Writes a still with chunks before and after its picture. */
export function extendedStill(
  flags: number,
  before: readonly WebpChunk[],
  after: readonly WebpChunk[] = [],
): Uint8Array {
  return writeWebpChunks([
    extended(ALPHA | flags),
    ...before,
    ...PICTURE,
    ...after,
  ]);
}

/** Returns a file that states a greater length. */
function withLength(bytes: Uint8Array, more: number): Uint8Array {
  const other = bytes.slice();
  new DataView(other.buffer).setUint32(4, bytes.length - 8 + more, true);
  return other;
}

const UNKNOWN: WebpChunk = { name: "ABCD", data: Uint8Array.of(1, 2, 3) };
const EMPTY_EXIF: WebpChunk = {
  name: "EXIF",
  data: new TextEncoder().encode("II*\0\x08\0\0\0\0\0"),
};

/** A file whose picture, or first frame, is the still. */
export interface OddWebp {
  /** Oddity, with the suffix. */
  readonly name: string;
  /** Contents of the file. */
  readonly bytes: Uint8Array;
  /** Reason for Pillow to reject it. */
  readonly unlikePillow?: string;
}

const NOT_BY_PILLOW = { unlikePillow: "it refuses the file" };

/** Odd WebPs of every kind. */
export const ODD_WEBPS: readonly OddWebp[] = [
  { name: "bytes after it", bytes: Uint8Array.of(...STILL_WEBP, 1, 2, 3) },
  { name: "an unknown chunk before", bytes: extendedStill(0, [UNKNOWN]) },
  { name: "an unknown chunk after", bytes: extendedStill(0, [], [UNKNOWN]) },
  { name: "EXIF before the picture", bytes: extendedStill(8, [EMPTY_EXIF]) },
  { name: "EXIF without its flag", bytes: extendedStill(0, [], [EMPTY_EXIF]) },
  { name: "a flag without EXIF", bytes: extendedStill(8, []) },
  { name: "flags of chunks that are missing", bytes: extendedStill(0x3c, []) },
  {
    name: "the flag of animation alone",
    bytes: extendedStill(ANIMATION, []),
    ...NOT_BY_PILLOW,
  },
  {
    name: "a length beyond its end",
    bytes: withLength(STILL_WEBP, 100),
    ...NOT_BY_PILLOW,
  },
  {
    name: "a cut chunk after the picture",
    bytes: extendedStill(8, [], [EMPTY_EXIF]).slice(0, -4),
    ...NOT_BY_PILLOW,
  },
  {
    name: "a frame of another size than it says",
    bytes: stillAnimation({ statedWidth: width - 2 }, {}),
  },
  {
    name: "reserved bits of a frame",
    bytes: stillAnimation({ reserved: 0xfc }, {}),
  },
  {
    name: "a cut second frame",
    bytes: stillAnimation({}, {}).slice(0, -20),
    ...NOT_BY_PILLOW,
  },
  {
    name: "a damaged second frame",
    bytes: stillAnimation({}, { cut: 20 }),
    ...NOT_BY_PILLOW,
  },
  {
    name: "a second frame out of the canvas",
    bytes: stillAnimation({}, { left: 2 }),
    ...NOT_BY_PILLOW,
  },
].map((odd) => ({ ...odd, name: `${odd.name}.webp` }));
