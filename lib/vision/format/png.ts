/**
 * PNG as a list of chunks.
 *
 * ```text
 * signature │ IHDR │ … │ IDAT … │ IEND
 * chunk = u32 length │ type │ data │ CRC-32 of type and data
 * ```
 *
 * Knows the container and the header fields, nothing of filters or pixels.
 * Source: W3C PNG, third edition.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { ImageError } from "../../errors.ts";
import { type Orientation, readOrientation } from "../exif.ts";

/** One chunk. */
export interface PngChunk {
  /** Four letters; a capital first one means that the picture needs it. */
  readonly type: string;
  /** Without length, type and CRC. */
  readonly data: Uint8Array;
}

/** What stands in IHDR and around it. */
export interface PngHeader {
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGB with alpha. */
  readonly colorType: number;
  /** 1 for a still picture. */
  readonly frames: number;
  /** From eXIf. */
  readonly orientation: Orientation;
}

/** The eight bytes that every PNG begins with. */
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

/** Chunks that a file may have; libpng's are of 8 KB. */
const MAX_CHUNKS = 2 ** 18;

/** Chunks that may stand before the picture: they are read at the request. */
const MAX_HEADER_CHUNKS = 2 ** 14;

/**
 * The chunks of a PNG through IEND.
 *
 * @throws {ImageError} When the file ends before IEND, or a chunk that the
 * picture needs has a wrong CRC. Damage to other chunks is none of ours.
 */
export function readChunks(bytes: Uint8Array): PngChunk[] {
  const chunks = [];
  for (const chunk of walkChunks(bytes, MAX_CHUNKS)) {
    chunks.push(chunk);
    if (chunk.type === "IEND") return chunks;
  }
  throw new ImageError("the PNG is cut short");
}

/** The header of a PNG, read from the chunks before the picture data. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  let frames = 1;
  let orientation: Orientation = 1;
  let size:
    | Pick<PngHeader, "height" | "width" | "depth" | "colorType">
    | undefined;
  for (const { type, data } of walkChunks(bytes, MAX_HEADER_CHUNKS)) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (type === "IHDR" && data.length === 13) {
      size = {
        width: view.getUint32(0),
        height: view.getUint32(4),
        depth: view.getUint8(8),
        colorType: view.getUint8(9),
      };
    } else if (size === undefined) {
      break;
    } else if (type === "acTL" && data.length === 8) {
      frames = view.getUint32(0);
    } else if (type === "eXIf") {
      orientation = readOrientation(data);
    } else if (type === "IDAT" || type === "IEND") {
      return { ...size, frames, orientation };
    }
  }
  throw new ImageError("the PNG is cut short, or has no header");
}

/** A PNG of `chunks`. */
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

function* walkChunks(bytes: Uint8Array, most: number): Generator<PngChunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = PNG_SIGNATURE.length;
  for (let count = 0; at + 12 <= bytes.length; count++) {
    if (count === most) throw new ImageError("the PNG has too many chunks");
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) return;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (needed(type)) {
      const actual = crc32(bytes.subarray(at + 4, end));
      if (actual !== view.getUint32(end)) {
        throw new ImageError("the PNG is damaged: a checksum is wrong");
      }
    }
    yield { type, data: bytes.subarray(at + 8, end) };
    at = end + 4;
  }
}

/** Animation chunks are optional by their letters, but not to an animation. */
function needed(type: string): boolean {
  return /^[A-Z]/.test(type) || ["tRNS", "acTL", "fcTL", "fdAT"].includes(type);
}
