/**
 * The header of a JPEG: its segments up to the frame header.
 *
 * ```text
 * SOI │ APP1 "Exif" │ … │ SOF: precision, height, width, components │ … │ EOI
 * segment = 0xFF │ marker │ u16 length, counting itself │ data
 * ```
 *
 * Source: ITU-T T.81, annex B.
 *
 * @module
 */

import { ImageError } from "../../errors.ts";
import { type Orientation, readOrientation } from "../exif.ts";

/** What a JPEG says before its scans. */
export interface JpegHeader {
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
  /** From the first Exif segment. */
  readonly orientation: Orientation;
}

/** Segments and fill bytes that a header may have: it is read at the request. */
const MAX_STEPS = 2 ** 16;

/** The header of a JPEG. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: Orientation = 1;
  let at = 2;
  for (let steps = 0; at + 4 <= bytes.length; steps++) {
    if (steps === MAX_STEPS) {
      throw new ImageError("the JPEG has too many segments before its picture");
    }
    if (bytes[at] !== 0xff) {
      throw new ImageError("the JPEG is damaged: a marker is missing");
    }
    const marker = bytes[at + 1]!;
    if (marker === 0xff) { // fill byte
      at++;
      continue;
    }
    const length = view.getUint16(at + 2);
    const data = bytes.subarray(at + 4, at + 2 + length);
    if (isFrameHeader(marker)) {
      if (data.length < 6) break;
      const height = view.getUint16(at + 5);
      const width = view.getUint16(at + 7);
      return { height, width, orientation };
    }
    if (marker === 0xda || marker === 0xd9) {
      throw new ImageError("the JPEG has no frame header");
    }
    if (marker === 0xe1 && orientation === 1 && isExif(data)) {
      orientation = readOrientation(data);
    }
    at += 2 + length;
  }
  throw new ImageError("the JPEG is cut short");
}

/** SOF0–SOF15, which share their numbers with DHT, JPG and DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf &&
    marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function isExif(data: Uint8Array): boolean {
  return String.fromCharCode(...data.subarray(0, 6)) === "Exif\0\0";
}
