/**
 * The decoder of JPEGs that the WebAssembly build of mozjpeg refuses, or
 * decodes differently from libjpeg-turbo: CMYK and YCCK, and chroma with only
 * its height halved (4:4:0).
 *
 * ```text
 * scans ─▶ samples of each component ─▶ at full size ─▶ RGB
 *                                         YCCK: YCC → CMY; CMYK ─▶ RGB as Pillow has it
 * ```
 *
 * Inks are stored inverted, with or without Adobe's marker. Own code, because
 * ImageScript's decoder refuses files without the marker, and differs by up to
 * three levels.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import type { JpegLayout, Sampling } from "./format/jpeg.ts";
import { type JpegScans, readJpegScans } from "./format/jpeg_scans.ts";
import { samplesOf, upsample } from "./jpeg_samples.ts";
import type { RgbaImage } from "./rgba.ts";

/** Number of components in CMYK and YCCK. */
const CMYK = 4;

/** Returns true if a JPEG needs this decoder. */
export function needsOwnDecoder(
  { sampling }: Pick<JpegLayout, "sampling">,
): boolean {
  if (sampling.length === CMYK) return true;
  const { across, down } = largest(sampling);
  return sampling.some(({ horizontal, vertical }) =>
    across === horizontal && down === 2 * vertical
  );
}

/**
 * Decodes a JPEG of one, three or four components.
 *
 * @throws {ImageError} If it is damaged or truncated, or neither baseline nor
 * progressive.
 */
export function decodeCmykJpeg(bytes: Uint8Array): RgbaImage {
  const scans = readJpegScans(bytes);
  const { height, width, components } = scans;
  const { across, down } = largest(components);
  const planes = components.map((component) => {
    const { horizontal, vertical } = component;
    if (across % horizontal !== 0 || down % vertical !== 0) {
      throw new ImageError(
        "the JPEG has unsupported sampling factors; save it again",
      );
    }
    const size = {
      height: Math.ceil(height * vertical / down),
      width: Math.ceil(width * horizontal / across),
    };
    const plane = samplesOf(component, size);
    return upsample(plane, across / horizontal, down / vertical);
  });
  const pixels = new Uint8ClampedArray(height * width * 4);
  const isYcc = hasLuma(scans);
  for (let y = 0; y < height; y++) {
    const rows = planes.map(({ samples, stride }) =>
      samples.subarray(y * stride)
    );
    const row = pixels.subarray(4 * y * width, 4 * (y + 1) * width);
    combine(rows, row);
    if (isYcc) colorFromLuma(row);
    if (planes.length === CMYK) {
      if (isYcc) invert(row);
      ink(row, rows[3]!);
    }
  }
  return { height, width, pixels };
}

function largest(sampling: readonly Sampling[]) {
  return {
    across: Math.max(...sampling.map(({ horizontal }) => horizontal)),
    down: Math.max(...sampling.map(({ vertical }) => vertical)),
  };
}

/**
 * Returns true if the first components are luma and chroma, by libjpeg's rules.
 */
function hasLuma(
  { components, adobeTransform, hasJfif }: JpegScans,
): boolean {
  if (components.length === CMYK) return (adobeTransform ?? 0) !== 0;
  if (components.length !== 3) return false;
  if (hasJfif) return true;
  if (adobeTransform !== undefined) return adobeTransform !== 0;
  return String.fromCharCode(...components.map(({ id }) => id)) !== "RGB";
}

/**
 * @param row Pixels `[width, 4]`: the first three samples, or one of them
 * thrice; overwritten.
 */
function combine(
  samples: readonly Uint8ClampedArray[],
  row: Uint8ClampedArray,
): void {
  const [first] = samples;
  const [, second = first, third = first] = samples;
  for (let x = 0; 4 * x < row.length; x++) {
    row[4 * x] = first![x]!;
    row[4 * x + 1] = second![x]!;
    row[4 * x + 2] = third![x]!;
    row[4 * x + 3] = 255;
  }
}

/**
 * @param row Pixels `[width, 4]`: luma and chroma; overwritten by RGB.
 */
function colorFromLuma(row: Uint8ClampedArray): void {
  for (let at = 0; at < row.length; at += 4) {
    const luma = row[at]!;
    const blue = row[at + 1]! - 128;
    const red = row[at + 2]! - 128;
    // The constants of libjpeg, times 2 ** 16; the array clamps.
    row[at] = luma + ((91881 * red + 32768) >> 16);
    row[at + 1] = luma + ((-22554 * blue - 46802 * red + 32768) >> 16);
    row[at + 2] = luma + ((116130 * blue + 32768) >> 16);
  }
}

/**
 * @param row Pixels `[width, 4]`, whose colors are overwritten.
 */
function invert(row: Uint8ClampedArray): void {
  for (let at = 0; at < row.length; at += 4) {
    for (let c = at; c < at + 3; c++) row[c] = 255 - row[c]!;
  }
}

/**
 * Converts CMYK to RGB as Pillow does: black minus its product with the ink.
 *
 * @param row Pixels `[width, 4]`: inks, inverted; overwritten by RGB.
 * @param black Samples `[width]`, inverted.
 */
function ink(row: Uint8ClampedArray, black: Uint8ClampedArray): void {
  for (let at = 0; at < row.length; at += 4) {
    const key = black[at >> 2]!;
    for (let c = at; c < at + 3; c++) {
      // Division by 255, rounded.
      const product = (255 - row[c]!) * key + 128;
      row[c] = key - ((product + (product >> 8)) >> 8);
    }
  }
}
