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
import { exifOrientation, type Orientation } from "../metadata/exif.ts";
import { xmpOrientation } from "../metadata/xmp_orientation.ts";

/** The properties of a JPEG before its scans. */
export interface JpegHeader {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** Orientation from the first Exif segment that has one, else from XMP. */
  readonly orientation: Orientation;
}

/** The properties of a JPEG that its decoder needs. */
export interface JpegLayout extends JpegHeader {
  /** Sampling of each color component: 1 gray, 3 color, 4 CMYK or YCCK. */
  readonly sampling: readonly Sampling[];
  /** Offset of the height in the frame header. */
  readonly heightOffset: number;
  /** True if a DNL segment, not the frame header, has the height. */
  readonly heightIsLate: boolean;
  /** True if scans have restart markers. */
  readonly restarts: boolean;
}

/** Sampling factors of a component: its samples in a minimum coded unit. */
export interface Sampling {
  /** Horizontal factor. */
  readonly horizontal: number;
  /** Vertical factor. */
  readonly vertical: number;
}

/**
 * The maximum number of segments of a header, which bounds its reading time.
 */
const MAX_SEGMENTS = 2 ** 16;

const SOS = 0xda;
const EOI = 0xd9;
const DNL = 0xdc;
const DRI = 0xdd;
const APP1 = 0xe1;

/** Returns the header of a JPEG. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const { height, width, orientation } = readJpegLayout(bytes);
  return { height, width, orientation };
}

/**
 * Returns the properties of a JPEG up to its first scan.
 *
 * Bytes between segments are skipped, as libjpeg does.
 *
 * @throws {ImageError} If there is no frame header.
 */
export function readJpegLayout(bytes: Uint8Array): JpegLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let ofExif: Orientation | undefined;
  let ofXmp: Orientation | undefined;
  let restarts = false;
  let frame: Omit<JpegLayout, "orientation" | "restarts"> | undefined;
  let at = 2;
  for (let count = 0;; count++) {
    if (count === MAX_SEGMENTS) {
      throw new ImageError(
        "the JPEG has too many segments before its image data; save it again",
      );
    }
    at = markerAfter(bytes, at);
    if (at + 4 > bytes.length) break;
    const marker = bytes[at + 1]!;
    if (marker === SOS || marker === EOI) {
      if (frame === undefined) {
        throw new ImageError("the JPEG has no frame header");
      }
      if (frame.height === 0) {
        frame = { ...frame, height: lateHeight(bytes, view, at + 2) };
      }
      break;
    }
    const length = view.getUint16(at + 2);
    const data = bytes.subarray(at + 4, at + 2 + length);
    if (isFrameHeader(marker) && frame === undefined) {
      if (data.length < 6) break;
      const height = view.getUint16(at + 5);
      const width = view.getUint16(at + 7);
      const heightIsLate = height === 0;
      const sampling = Array.from({ length: data[5]! }, (_, i) => {
        const factors = data[7 + 3 * i] ?? 0x11;
        return { horizontal: factors >> 4, vertical: factors & 15 };
      });
      const heightOffset = at + 5;
      frame = { height, width, sampling, heightOffset, heightIsLate };
    }
    if (marker === DRI && data.length >= 2) {
      restarts = view.getUint16(at + 4) > 0;
    }
    if (marker === APP1) {
      if (startsWith(data, EXIF)) ofExif ??= exifOrientation(data);
      if (startsWith(data, XMP)) ofXmp ??= xmpOrientation(data);
    }
    at += 2 + length;
  }
  if (frame === undefined) throw new ImageError("the JPEG is truncated");
  return { ...frame, orientation: ofExif ?? ofXmp ?? 1, restarts };
}

/**
 * Returns the offset of the next 0xFF that begins a marker; the end if there is
 * none.
 */
function markerAfter(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) {
    // Fill bytes are further 0xFF; a zero after 0xFF makes it data.
    const next = bytes[at + 1];
    if (bytes[at] === 0xff && next !== 0xff && next !== 0) return at;
  }
  return bytes.length;
}

/**
 * Returns the height in the DNL segment after the first scan; 0 without one.
 */
function lateHeight(bytes: Uint8Array, view: DataView, from: number): number {
  let at = markerAfter(bytes, from);
  while (at + 6 <= bytes.length) {
    if (bytes[at + 1] === DNL) return view.getUint16(at + 4);
    at = markerAfter(bytes, at + 2);
  }
  return 0;
}

/**
 * Returns a JPEG up to the end of its last scan, with an end marker: later
 * segments may be damaged, and no row depends on them. Undefined for a JPEG
 * without an end marker, which may lack scans.
 */
export function withoutTrailingSegments(
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length;
  let at = markerAfter(bytes, 2);
  for (let count = 0; count < MAX_SEGMENTS && at + 4 <= bytes.length; count++) {
    const isScan = bytes[at + 1] === SOS;
    const length = view.getUint16(at + 2);
    if (bytes[at + 1] === EOI || length < 2) break;
    at = markerAfter(bytes, at + 2 + length);
    while (isScan && isRestart(bytes[at + 1])) at = markerAfter(bytes, at + 2);
    if (isScan) end = at;
  }
  if (bytes.at(-2) !== 0xff || bytes.at(-1) !== EOI) return undefined;
  const kept = new Uint8Array(end + 2);
  kept.set(bytes.subarray(0, end));
  kept.set([0xff, EOI], end);
  return kept;
}

function isRestart(marker = 0): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

/**
 * Returns true for SOF0–SOF15, except for DHT, JPG and DAC in the same range.
 */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf &&
    marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** The first bytes of APP1 segments. */
const EXIF = "Exif\0\0";
const XMP = "http://ns.adobe.com/xap/1.0/\0";

function startsWith(data: Uint8Array, start: string): boolean {
  return String.fromCharCode(...data.subarray(0, start.length)) === start;
}
