/**
 * The header of a picture: its type and size, read before decoding.
 *
 * A small file can declare a huge picture, so limits are checked here. The
 * error for an unsupported type names it, so that callers can convert the file.
 *
 * @module
 */

import { ImageError, ImageTooLargeError } from "../errors.ts";
import type { Orientation } from "./metadata/exif.ts";
import { readGifLayout } from "./format/gif.ts";
import { readJpegHeader } from "./format/jpeg.ts";
import { readPngHeader } from "./format/png.ts";
import { readWebpHeader } from "./format/webp.ts";
import type { PixelSize } from "./image.ts";

/** The supported types. */
export type PictureType = "png" | "jpeg" | "gif" | "webp";

/**
 * The fields of a picture's header. The size is that of the stored picture,
 * before its orientation is applied.
 */
export interface PictureHeader extends PixelSize {
  /** Type, determined from the bytes. */
  readonly type: PictureType;
  /** Number of frames; 1 for a still picture. */
  readonly frames: number;
  /** Orientation by EXIF or XMP. */
  readonly orientation: Orientation;
}

/**
 * Returns the header of the picture in `bytes`.
 *
 * @throws {ImageError} If the type is not supported, a side is zero or the
 * header is damaged or truncated.
 */
export function readHeader(bytes: Uint8Array): PictureHeader {
  const header = readByType(bytes);
  const { height, width, frames, type } = header;
  if (height === 0 || width === 0 || frames === 0) {
    throw new ImageError(
      `its ${
        names[type]
      } header declares ${height}×${width} pixels (height×width) and ${frames} frames`,
    );
  }
  return header;
}

/**
 * Asserts that a picture has at most `maxPixels`, counting all `frames`.
 *
 * @throws {ImageTooLargeError} If there are more.
 */
export function checkPixels(
  { type, height, width }: PictureHeader,
  frames: number,
  maxPixels: number,
): void {
  const pixels = height * width * frames;
  if (pixels <= maxPixels) return;
  const times = frames === 1 ? "" : ` in ${frames} frames`;
  throw new ImageTooLargeError(
    `a ${
      names[type]
    } of ${height}×${width} pixels (height×width)${times} has ${pixels} pixels in total, more than the limit of ${maxPixels}; send a smaller one`,
  );
}

/**
 * Asserts that an animation has at most `maxFrames` frames.
 *
 * @throws {ImageTooLargeError} If there are more.
 */
export function checkFrames(
  { type, frames }: Pick<PictureHeader, "type" | "frames">,
  maxFrames: number,
): void {
  if (frames <= maxFrames) return;
  throw new ImageTooLargeError(
    `a ${
      names[type]
    } of ${frames} frames exceeds the limit of ${maxFrames}; send fewer`,
  );
}

/** Returns the size of a picture after its orientation was applied. */
export function shownSize(
  { height, width, orientation }: PictureHeader,
): PixelSize {
  return orientation >= 5
    ? { height: width, width: height }
    : { height, width };
}

/** Common names of the types. */
const names: Record<PictureType, string> = {
  png: "PNG",
  jpeg: "JPEG",
  gif: "GIF",
  webp: "WebP",
};

/** The remedy for unsupported types. */
const SUPPORTED = "send a PNG, JPEG, GIF or WebP";

function readByType(bytes: Uint8Array): PictureHeader {
  // Latin-1, so that a character is a byte.
  const head = String.fromCharCode(...bytes.subarray(0, 64));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) {
    const { height, width, frames, orientation } = readPngHeader(bytes);
    return { type: "png", height, width, frames, orientation };
  }
  if (head.startsWith("\xff\xd8\xff")) {
    return { type: "jpeg", frames: 1, ...readJpegHeader(bytes) };
  }
  if (/^GIF8[79]a/.test(head)) {
    const { height, width, frames, whole } = readGifLayout(bytes);
    // The missing frame of a truncated file counts, so that decoding fails
    // instead of returning the rest.
    const count = frames.length + (whole ? 0 : 1);
    return { type: "gif", height, width, frames: count, orientation: 1 };
  }
  if (/^RIFF[^]{4}WEBP/.test(head)) {
    const { height, width, frames, orientation } = readWebpHeader(bytes);
    return { type: "webp", height, width, frames, orientation };
  }
  const other = otherTypes.find(([, pattern]) => pattern.test(head))?.[0];
  throw new ImageError(
    other === undefined
      ? `it has an unknown format; ${SUPPORTED}`
      : `it is ${other}; ${SUPPORTED}`,
  );
}

/** Common unsupported types, by the first bytes of their files. */
const otherTypes: readonly [name: string, pattern: RegExp][] = [
  ["BMP", /^BM/],
  ["TIFF", /^(II\*\0|MM\0\*|II\+\0|MM\0\+)/],
  ["AVIF", /^[^]{4}ftyp(avif|avis)/],
  ["HEIC", /^[^]{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)/],
  ["an MP4 or QuickTime video", /^[^]{4}(ftyp|moov|mdat)/],
  ["a WebM or Matroska video", /^[^]E\xdf\xa3/],
  ["an AVI video", /^RIFF[^]{4}AVI /],
  ["SVG", /^\s*(\xef\xbb\xbf)?\s*<(\?xml|svg|!--|!DOCTYPE svg)/i],
  ["JPEG XL", /^(\xff\n|[^]{4}JXL )/],
  ["JPEG 2000", /^([^]{4}jP {2}|\xffO\xffQ)/],
  ["PDF", /^%PDF/],
  ["a Photoshop file", /^8BPS/],
];
