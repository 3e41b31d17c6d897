/**
 * The type of pictures with alpha, and the two conversions to RGB.
 *
 * @module
 */

import type { PixelSize, RgbImage } from "./image.ts";

/** An eight-bit RGB picture with straight (not premultiplied) alpha. */
export interface RgbaImage extends PixelSize {
  /** Samples `[height, width, 4]`, 0–255. */
  readonly pixels: Uint8ClampedArray;
}

/** Returns `image` blended over white. */
export function overWhite(image: RgbaImage): RgbImage {
  const { height, width, pixels } = image;
  const opaque = new Uint8ClampedArray(height * width * 3);
  for (let p = 0; p < height * width; p++) {
    const i = p * 4;
    const o = p * 3;
    const alpha = pixels[i + 3]!;
    const white = 255 * (255 - alpha);
    // The array rounds.
    opaque[o] = (pixels[i]! * alpha + white) / 255;
    opaque[o + 1] = (pixels[i + 1]! * alpha + white) / 255;
    opaque[o + 2] = (pixels[i + 2]! * alpha + white) / 255;
  }
  return { height, width, pixels: opaque };
}

/**
 * Returns the colors of `image`, including transparent pixels, as PIL's
 * `convert("RGB")`.
 */
export function withoutAlpha(image: RgbaImage): RgbImage {
  const { height, width, pixels } = image;
  const colors = new Uint8ClampedArray(height * width * 3);
  for (let p = 0; p < height * width; p++) {
    const i = p * 4;
    const o = p * 3;
    colors[o] = pixels[i]!;
    colors[o + 1] = pixels[i + 1]!;
    colors[o + 2] = pixels[i + 2]!;
  }
  return { height, width, pixels: colors };
}

/** Returns the opacity of `image`, 0–255, in all three channels. */
export function alphaOf(image: RgbaImage): RgbImage {
  const { height, width, pixels } = image;
  const alpha = new Uint8ClampedArray(height * width * 3);
  for (let p = 0; p < height * width; p++) {
    alpha.fill(pixels[p * 4 + 3]!, p * 3, p * 3 + 3);
  }
  return { height, width, pixels: alpha };
}

/**
 * Frees the memory of `image`, which must not be used afterwards. Without it,
 * hundreds of megabytes would remain until the next garbage collection.
 */
export function releasePixels({ pixels }: RgbaImage): void {
  const { buffer } = pixels;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** Returns `image` with full alpha. */
export function withAlpha(image: RgbImage): RgbaImage {
  const { height, width, pixels } = image;
  const opaque = new Uint8ClampedArray(height * width * 4).fill(255);
  for (let p = 0; p < height * width; p++) {
    const i = p * 3;
    const o = p * 4;
    opaque[o] = pixels[i]!;
    opaque[o + 1] = pixels[i + 1]!;
    opaque[o + 2] = pixels[i + 2]!;
  }
  return { height, width, pixels: opaque };
}
