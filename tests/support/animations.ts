/**
 * The animations of frames that exist together.
 *
 * @module
 */

import { joinGifs } from "../../lib/image/animation/animated_gif.ts";
import { joinPngs } from "../../lib/image/animation/animated_png.ts";
import { encodeGif } from "../../lib/image/codec/imagescript.ts";
import { encodePng, type PngOptions } from "../../lib/image/encode_png.ts";
import type { AnimationOptions, RgbImage } from "../../lib/image/image.ts";

/** Returns an APNG of frames. */
export function animatedPng(
  frames: readonly RgbImage[],
  options: AnimationOptions & PngOptions,
): Uint8Array {
  return joinPngs(frames.map((frame) => encodePng(frame, {})), options);
}

/** Returns an animated GIF of frames. */
export async function animatedGif(
  frames: readonly RgbImage[],
  options: AnimationOptions,
): Promise<Uint8Array> {
  return joinGifs(
    await Promise.all(frames.map((frame) => encodeGif(frame, options))),
  );
}

/** Yields frames, as they are decoded. */
export async function* yielded(
  frames: readonly RgbImage[],
): AsyncGenerator<RgbImage, void> {
  for (const frame of frames) yield await Promise.resolve(frame);
}
