/**
 * The adapter of ImageScript: pixels → JPEG and GIF.
 *
 * It is loaded on first use, so that it does not delay the start.
 *
 * @module
 */

import {
  type AnimationOptions,
  checkFrameRate,
  type RgbImage,
} from "../image.ts";
import { withAlpha } from "../rgba.ts";
import { loadCodec } from "./load.ts";

/** Encodes a baseline JPEG. */
export async function encodeJpeg(
  image: RgbImage,
  options: {
    /** Quality, 1–100. */
    readonly quality: number;
  },
): Promise<Uint8Array> {
  const { quality } = options;
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) {
    throw new RangeError(
      `expected a quality from 1 to 100, a whole number, not ${quality}`,
    );
  }
  const { Image } = await imagescript();
  const picture = new Image(image.width, image.height);
  picture.bitmap.set(withAlpha(image).pixels);
  // The package's type is a union of the hundred numbers.
  type JpegQuality = Parameters<typeof picture.encodeJPEG>[0];
  return await picture.encodeJPEG(quality as JpegQuality);
}

/**
 * Encodes a GIF of one frame, which loops forever with others joined to it. A
 * frame has at most 256 colors, and its delay is rounded to hundredths of a
 * second.
 *
 * @throws {RangeError} If the rate is out of range.
 */
export async function encodeGif(
  image: RgbImage,
  options: AnimationOptions,
): Promise<Uint8Array> {
  checkFrameRate(options);
  const { Frame, GIF } = await imagescript();
  const delayMs = 10 * Math.round(100 / options.framesPerSecond);
  const frame = new Frame(image.width, image.height, delayMs);
  frame.bitmap.set(withAlpha(image).pixels);
  return await new GIF([frame]).encode(gifQuality);
}

/** The maximum of 100: up to 255 colors are exact, at no cost in time. */
const gifQuality = 100;

function imagescript() {
  return loadCodec("imagescript", () => import("imagescript"));
}
