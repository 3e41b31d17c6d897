/**
 * The decoder of picture files: bytes → pixels.
 *
 * ```text
 * bytes ─▶ header ─▶ limits ─▶ codec ─▶ RGBA ─▶ RGB ─▶ (resized)
 *                                  display: over white, upright
 *                                reference: alpha dropped, as stored
 * ```
 *
 * Frames are decoded and resized one by one, so that only the resized animation
 * is in memory.
 *
 * A picture is decoded completely or refused, never in part.
 *
 * @module
 */

import { Emu3Error, ImageError } from "../errors.ts";
import { loadFailure } from "./codec/load.ts";
import { decodeGifFrames, decodeGifStill } from "./gif_picture.ts";
import {
  checkFrames,
  checkPixels,
  type PictureHeader,
  readHeader,
} from "./header.ts";
import type { PixelSize, RgbImage } from "./image.ts";
import { decodeJpegPicture } from "./jpeg_picture.ts";
import { orient } from "./metadata/orientation.ts";
import {
  decodePng,
  decodePngAsReference,
  decodePngFrames,
} from "./png_picture.ts";
import { resizeBicubic } from "./resize.ts";
import {
  alphaOf,
  overWhite,
  releasePixels,
  type RgbaImage,
  withoutAlpha,
} from "./rgba.ts";
import { decodeWebpFrames, decodeWebpStill } from "./webp_picture.ts";

/** Options of {@linkcode decodeImage}. */
export interface DecodeOptions {
  /**
   * The mode. `display` is the picture as viewers show it: oriented by EXIF,
   * with transparency over white. `reference` is that of the released
   * processor, PIL's `convert("RGB")`: as stored, alpha dropped, 16-bit gray
   * clipped at 255. `alpha` is the opacity of `display`, 0–255 in all three
   * channels.
   */
  readonly decode: "display" | "reference" | "alpha";
  /** The maximum number of pixels, over all decoded frames. */
  readonly maxPixels: number;
  /** The size to resize to, frame by frame; undefined for none. */
  readonly size?: PixelSize | undefined;
}

/** Options of {@linkcode decodeFrames}. */
export interface DecodeFramesOptions extends DecodeOptions {
  /** The maximum number of frames; unlimited by default. */
  readonly maxFrames?: number | undefined;
}

/**
 * Decodes the picture in `bytes`, or the first frame of an animation.
 *
 * @throws {ImageError} If the type is not supported or the file is damaged or
 * truncated.
 * @throws {ImageTooLargeError} If it has more pixels than `maxPixels`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<RgbImage> {
  const header = readHeader(bytes);
  checkPixels(header, 1, options.maxPixels);
  const asStored = options.decode === "reference";
  const image = await orDamaged(
    () => asStored ? referenceStill(bytes, header) : still(bytes, header),
  );
  const finished = finish(image, header, options);
  releasePixels(image);
  return resized(finished, options);
}

/**
 * Decodes all frames of the animation in `bytes`, each composed on its canvas;
 * a still picture gives one.
 *
 * @throws {ImageError} If the type is not supported or the file is damaged or
 * truncated.
 * @throws {ImageTooLargeError} If there are more frames, or more pixels in all
 * frames, than the limits.
 */
export async function decodeFrames(
  bytes: Uint8Array,
  options: DecodeFramesOptions,
): Promise<RgbImage[]> {
  const { maxFrames = Infinity, maxPixels } = options;
  const header = readHeader(bytes);
  // The only frame of an APNG may differ from its default picture.
  if (header.frames === 1 && header.type !== "png") {
    return [await decodeImage(bytes, options)];
  }
  checkFrames(header, maxFrames);
  checkPixels(header, header.frames, maxPixels);
  return await orDamaged(async () => {
    const images: RgbImage[] = [];
    for await (const image of frames(bytes, header, options)) {
      images.push(resized(finish(image, header, options), options));
    }
    if (images.length === header.frames) return images;
    throw new ImageError("it is truncated: frames are missing");
  });
}

async function still(
  bytes: Uint8Array,
  header: PictureHeader,
): Promise<RgbaImage> {
  switch (header.type) {
    case "png":
      return await decodePng(bytes);
    case "jpeg":
      return await decodeJpegPicture(bytes);
    case "gif":
      return await decodeGifStill(bytes);
    case "webp":
      return await decodeWebpStill(bytes);
  }
}

async function referenceStill(
  bytes: Uint8Array,
  header: PictureHeader,
): Promise<RgbaImage> {
  switch (header.type) {
    case "png":
      return await decodePngAsReference(bytes);
    case "gif":
    case "jpeg":
    case "webp":
      return await still(bytes, header);
  }
}

function frames(
  bytes: Uint8Array,
  header: PictureHeader,
  { decode }: DecodeOptions,
): AsyncIterable<RgbaImage> {
  const reference = decode === "reference";
  switch (header.type) {
    case "png":
      return decodePngFrames(bytes, { reference });
    case "gif":
      return decodeGifFrames(bytes, { reference });
    case "webp":
      return decodeWebpFrames(bytes);
    case "jpeg":
      throw new TypeError("a JPEG has a single frame");
  }
}

function finish(
  image: RgbaImage,
  header: PictureHeader,
  options: DecodeOptions,
): RgbImage {
  if (image.height !== header.height || image.width !== header.width) {
    throw new ImageError("it is damaged: its size differs from its header");
  }
  if (options.decode === "reference") return withoutAlpha(image);
  const seen = options.decode === "alpha" ? alphaOf(image) : overWhite(image);
  return orient(seen, header.orientation);
}

function resized(image: RgbImage, { size }: DecodeOptions): RgbImage {
  return size === undefined ? image : resizeBicubic(image, size);
}

/**
 * Runs a codec and converts its errors and traps to an {@linkcode ImageError},
 * except for failures to load.
 */
async function orDamaged<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    if (cause instanceof Emu3Error) throw cause;
    const unloaded = loadFailure(cause);
    if (unloaded !== undefined) throw unloaded;
    throw new ImageError("it is damaged or truncated", { cause });
  }
}
