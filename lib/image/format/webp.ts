/**
 * The WebP container: a list of RIFF chunks.
 *
 * ```text
 * "RIFF" │ size │ "WEBP" │ VP8X? │ ALPH? │ VP8 or VP8L │ EXIF?      a still
 * "RIFF" │ size │ "WEBP" │ VP8X │ ANIM │ ANMF (ALPH? VP8 …)… │ EXIF?
 * chunk = name │ u32 length, little-endian │ data │ a zero when odd
 * ```
 *
 * Source: RFC 9649.
 *
 * @module
 */

import { ImageError, ImageTooLargeError } from "../../errors.ts";
import { exifOrientation, type Orientation } from "../metadata/exif.ts";
import { xmpOrientation } from "../metadata/xmp_orientation.ts";

/** One chunk. */
export interface WebpChunk {
  /** Name, four characters, spaces included: "VP8 ". */
  readonly name: string;
  /** Data without name, length and padding. */
  readonly data: Uint8Array;
  /** True if the file ends inside it. */
  readonly isCut?: boolean;
}

/** The properties of a WebP, from its chunks. */
export interface WebpHeader {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /**
   * Number of frames; 1 for a still picture. All missing frames of a truncated
   * file count as one.
   */
  readonly frames: number;
  /** True if it is stored as an animation, even of one frame. */
  readonly animated: boolean;
  /** Orientation from EXIF, else from XMP. */
  readonly orientation: Orientation;
}

/**
 * Returns the header of a WebP. All chunks are read, since frames and EXIF
 * follow the picture.
 */
export function readWebpHeader(bytes: Uint8Array): WebpHeader {
  const chunks = readWebpChunks(bytes);
  const exif = chunks.find(({ name }) => name === "EXIF")?.data;
  const packet = chunks.find(({ name }) => name === "XMP ")?.data;
  const orientation = exif && exifOrientation(exif) ||
    packet && xmpOrientation(packet) || 1;
  const extended = chunks.find(({ name }) => name === "VP8X")?.data;
  const canvas = extended === undefined ? undefined : canvasSize(extended);
  const frames = chunks.filter(({ name }) => name === "ANMF").length;
  if (canvas !== undefined && frames > 0) {
    const missing = isWhole(bytes) ? 0 : 1;
    const count = frames + missing;
    return { ...canvas, frames: count, animated: true, orientation };
  }
  const size = pictureSize(chunks);
  // The codec allocates by the size in the bit stream, but limits use this one.
  if (
    canvas !== undefined &&
    (canvas.height !== size.height || canvas.width !== size.width)
  ) {
    throw new ImageError(
      "the WebP is damaged: its sizes contradict each other",
    );
  }
  return { ...size, frames: 1, animated: false, orientation };
}

/**
 * Returns the chunks of a WebP, which may be truncated.
 *
 * @throws {ImageTooLargeError} If there are too many.
 */
export function readWebpChunks(bytes: Uint8Array): WebpChunk[] {
  if (bytes.length < 12) throw new ImageError("the WebP is truncated");
  return riffChunks(bytes.subarray(12, riffEnd(bytes)));
}

/**
 * Returns true if the file has its declared length, except for the last
 * padding.
 */
function isWhole(bytes: Uint8Array): boolean {
  return riffEnd(bytes) <= bytes.length + 1;
}

/** Returns the offset at which the file ends according to its header. */
function riffEnd(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(4, true) + 8;
}

/**
 * The maximum number of chunks of a file: one for each frame, and a few others.
 */
const MAX_CHUNKS = 2 ** 15;

/** Returns the chunks in `bytes`; the last may be truncated. */
export function riffChunks(bytes: Uint8Array): WebpChunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    if (chunks.length === MAX_CHUNKS) {
      throw new ImageTooLargeError("the WebP has too many frames; send fewer");
    }
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    const data = bytes.subarray(at + 8, at + 8 + length);
    chunks.push({ name, data, isCut: data.length < length });
    at += 8 + length + (length & 1);
  }
  return chunks;
}

/** Returns a WebP of `chunks`. */
export function writeWebpChunks(chunks: readonly WebpChunk[]): Uint8Array {
  const body = chunks.reduce(
    (sum, { data }) => sum + 8 + data.length + (data.length & 1),
    0,
  );
  const bytes = new Uint8Array(12 + body);
  const view = new DataView(bytes.buffer);
  const text = new TextEncoder();
  bytes.set(text.encode("RIFF"));
  view.setUint32(4, 4 + body, true);
  bytes.set(text.encode("WEBP"), 8);
  let at = 12;
  for (const { name, data } of chunks) {
    bytes.set(text.encode(name), at);
    view.setUint32(at + 4, data.length, true);
    bytes.set(data, at + 8);
    at += 8 + data.length + (data.length & 1);
  }
  return bytes;
}

/** Returns the size in the bit stream of the picture among `chunks`. */
export function pictureSize(
  chunks: readonly WebpChunk[],
): { height: number; width: number } {
  for (const { name, data } of chunks) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (name === "VP8 " && data.length >= 10) {
      return {
        width: view.getUint16(6, true) & 0x3fff,
        height: view.getUint16(8, true) & 0x3fff,
      };
    }
    if (name === "VP8L" && data.length >= 5) {
      const bits = view.getUint32(1, true);
      return { width: (bits & 0x3fff) + 1, height: (bits >>> 14 & 0x3fff) + 1 };
    }
  }
  throw new ImageError("the WebP has no image data");
}

/** Reads a 24-bit number, little-endian. */
export function uint24(data: Uint8Array, at: number): number {
  return data[at]! | data[at + 1]! << 8 | data[at + 2]! << 16;
}

function canvasSize(extended: Uint8Array): { height: number; width: number } {
  if (extended.length < 10) throw new ImageError("the WebP is truncated");
  return { width: uint24(extended, 4) + 1, height: uint24(extended, 7) + 1 };
}
