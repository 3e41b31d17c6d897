/**
 * The PNG container: a list of chunks.
 *
 * ```text
 * signature │ IHDR │ … │ IDAT … │ IEND
 * chunk = u32 length │ type │ data │ CRC-32 of type and data
 * ```
 *
 * It parses chunks and header fields, not filters or pixels. A chunk is
 * verified only when it is used, so damage to unneeded parts is ignored.
 * Source: W3C PNG, third edition.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { ImageError, ImageTooLargeError } from "../../errors.ts";
import type { Orientation } from "../metadata/exif.ts";
import type { PixelSize } from "../image.ts";
import { type PngChunk, pngOrientation } from "./png_metadata.ts";

/** A chunk with its offset in a file. */
export interface StoredChunk extends PngChunk {
  /** Offset of its length. */
  readonly at: number;
}

/** The fields of IHDR. */
export interface PngShape extends PixelSize {
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /**
   * Color type: 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGB with alpha.
   */
  readonly colorType: number;
  /** True if rows are stored in the seven passes of Adam7. */
  readonly interlaced: boolean;
}

/** The fields of IHDR, with properties from other chunks. */
export interface PngHeader extends PngShape {
  /** Number of frames; 1 for a still picture. */
  readonly frames: number;
  /** Orientation from EXIF or XMP, before or after the picture data. */
  readonly orientation: Orientation;
}

/** The first eight bytes of every PNG. */
export const PNG_SIGNATURE: Uint8Array = Uint8Array.of(
  0x89,
  0x50,
  0x4e,
  0x47,
  0x0d,
  0x0a,
  0x1a,
  0x0a,
);

/** The maximum number of chunks of a file; libpng writes 8 KB into each. */
const MAX_CHUNKS = 2 ** 18;

/**
 * The maximum number of chunks other than picture data, which bounds the
 * reading time.
 */
const MAX_OTHER_CHUNKS = 2 ** 16;

/** The maximum number of frames that APNG allows. */
const MAX_FRAMES = 2 ** 31;

/**
 * Returns the chunks of a PNG up to IEND, which may be missing. The last one
 * may be truncated.
 *
 * @throws {ImageTooLargeError} If there are too many.
 */
export function readChunks(bytes: Uint8Array): StoredChunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = [];
  let others = 0;
  for (let at = PNG_SIGNATURE.length; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "IEND") break;
    if (type !== "IDAT" && type !== "fdAT") others++;
    if (others > MAX_OTHER_CHUNKS || chunks.length === MAX_CHUNKS) {
      throw new ImageTooLargeError(
        "the PNG has too many chunks or frames; send fewer",
      );
    }
    chunks.push({ at, type, data: bytes.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

/**
 * Returns the data of a chunk after verifying its CRC.
 *
 * @param bytes The file.
 * @throws {ImageError} If its CRC is wrong. A CRC beyond the end of the file is
 * not verified, since the picture data may be complete.
 */
export function soundData(bytes: Uint8Array, chunk: StoredChunk): Uint8Array {
  const { at, data } = chunk;
  const end = at + 8 + data.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.length === view.getUint32(at) && end + 4 <= bytes.length) {
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw new ImageError("the PNG is damaged: a checksum is invalid");
    }
  }
  return data;
}

/**
 * Returns the fields of IHDR.
 *
 * @throws {ImageError} If there is none, or a field is invalid.
 */
export function readPngShape(
  bytes: Uint8Array,
  chunks: readonly StoredChunk[],
): PngShape {
  const [first] = chunks;
  if (first?.type !== "IHDR" || first.data.length < 13) {
    throw new ImageError("the PNG is truncated or has no header");
  }
  const data = soundData(bytes, first);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [depth = 0, colorType = 0, compression, filter, interlace = 0] = data
    .subarray(8);
  const known = DEPTHS[colorType]?.includes(depth) && compression === 0 &&
    filter === 0 && interlace <= 1;
  if (!known) {
    throw new ImageError(
      `the PNG is damaged: its header has depth ${depth}, color type ${colorType}, compression ${compression}, filter ${filter} and interlace ${interlace}`,
    );
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth,
    colorType,
    interlaced: interlace === 1,
  };
}

/** Depths by color type. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Returns the header of a PNG, read from all its chunks. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const chunks = readChunks(bytes);
  const shape = readPngShape(bytes, chunks);
  if (!chunks.some(({ type }) => type === "IDAT")) {
    throw new ImageError("the PNG is truncated: it has no image data");
  }
  const orientation = pngOrientation(chunks);
  return { ...shape, frames: announcedFrames(chunks) ?? 1, orientation };
}

/**
 * Returns the number of an APNG's frames; undefined for a still picture, and
 * for an invalid number, since readers then show the still.
 */
export function announcedFrames(
  chunks: readonly PngChunk[],
): number | undefined {
  const picture = chunks.findIndex(({ type }) => type === "IDAT");
  const data = chunks.find(({ type }, i) => type === "acTL" && i < picture)
    ?.data;
  if (data === undefined || data.length < 8) return undefined;
  const frames = new DataView(data.buffer, data.byteOffset).getUint32(0);
  return frames === 0 || frames > MAX_FRAMES ? undefined : frames;
}

/** Returns a PNG of `chunks`. */
export function writeChunks(chunks: readonly PngChunk[]): Uint8Array {
  const length = chunks.reduce((sum, { data }) => sum + data.length + 12, 8);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(PNG_SIGNATURE);
  let at = PNG_SIGNATURE.length;
  for (const { type, data } of chunks) {
    view.setUint32(at, data.length);
    for (let i = 0; i < 4; i++) bytes[at + 4 + i] = type.charCodeAt(i);
    bytes.set(data, at + 8);
    const end = at + 8 + data.length;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}
