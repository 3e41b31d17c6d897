/**
 * Bytes → pixels.
 *
 * ```text
 * bytes ─▶ header ─▶ limits ─▶ codec ─▶ RGBA ─▶ RGB
 *                                  display: over white, turned upright
 *                                reference: alpha dropped, as stored
 * ```
 *
 * What the header allows is decoded whole or refused: there is no half of a
 * picture.
 *
 * @module
 */

import { Emu3Error, ImageError } from "../errors.ts";
import { composeFrames } from "./canvas.ts";
import { decodeStill } from "./codec/imagescript.ts";
import { loadFailure } from "./codec/load.ts";
import {
  decodeGifAsReference,
  decodeGifFrames,
  decodeGifStill,
} from "./gif_picture.ts";
import { checkPixels, type PictureHeader, readHeader } from "./header.ts";
import type { RgbImage } from "./image.ts";
import { orient } from "./orientation.ts";
import {
  decodePng,
  decodePngAsReference,
  decodePngFrames,
} from "./png_picture.ts";
import { overWhite, type RgbaImage, withoutAlpha } from "./rgba.ts";
import { decodeWebpFrames } from "./webp_picture.ts";

/** How pictures are decoded. */
export interface DecodeOptions {
  /**
   * `display` is what a person sees: turned as EXIF asks, transparency over
   * white. `reference` is what the released processor sees, PIL's
   * `convert("RGB")`: unturned, alpha dropped, 16-bit gray clipped at 255.
   */
  readonly decode: "display" | "reference";
  /** The most pixels that are taken, over all frames that are decoded. */
  readonly maxPixels: number;
}

/**
 * The picture in `bytes`, or the first frame of an animation.
 *
 * @throws {ImageError} When the type is not taken or the file is damaged or
 * cut short.
 * @throws {ImageTooLargeError} When it has more pixels than are taken.
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
  return finish(image, header, options);
}

/**
 * All frames of the animation in `bytes`, each as it is seen; a still picture
 * gives one.
 *
 * @throws {ImageError} When the type is not taken or the file is damaged or
 * cut short.
 * @throws {ImageTooLargeError} When the frames together have more pixels than
 * are taken.
 */
export async function decodeFrames(
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<RgbImage[]> {
  const header = readHeader(bytes);
  if (header.frames === 1) return [await decodeImage(bytes, options)];
  checkPixels(header, header.frames, options.maxPixels);
  const images = await orDamaged(() => frames(bytes, header));
  if (images.length !== header.frames) {
    throw new ImageError("frames are missing");
  }
  return images.map((image) => finish(image, header, options));
}

async function still(
  bytes: Uint8Array,
  header: PictureHeader,
): Promise<RgbaImage> {
  switch (header.type) {
    case "png":
      return await decodePng(bytes);
    case "jpeg":
      return await decodeStill(bytes);
    case "gif":
      return await decodeGifStill(bytes);
    case "webp":
      return composeFrames(header, await decodeWebpFrames(bytes, "first"))[0]!;
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
      return await decodeGifAsReference(bytes);
    case "jpeg":
    case "webp":
      return await still(bytes, header);
  }
}

async function frames(
  bytes: Uint8Array,
  header: PictureHeader,
): Promise<RgbaImage[]> {
  switch (header.type) {
    case "png":
      return composeFrames(header, await decodePngFrames(bytes));
    case "gif":
      return await decodeGifFrames(bytes);
    case "webp":
      return composeFrames(header, await decodeWebpFrames(bytes, "all"));
    case "jpeg":
      return [await decodeStill(bytes)];
  }
}

function finish(
  image: RgbaImage,
  header: PictureHeader,
  options: DecodeOptions,
): RgbImage {
  if (image.height !== header.height || image.width !== header.width) {
    throw new ImageError("it has another size than its header says");
  }
  return options.decode === "reference"
    ? withoutAlpha(image)
    : orient(overWhite(image), header.orientation);
}

/**
 * Codecs fail in words of their own, or by trapping: all of it means damage,
 * but for what keeps them from running at all.
 */
async function orDamaged<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    if (cause instanceof Emu3Error) throw cause;
    const unloaded = loadFailure(cause);
    if (unloaded !== undefined) throw unloaded;
    throw new ImageError("it is damaged or cut short", { cause });
  }
}
