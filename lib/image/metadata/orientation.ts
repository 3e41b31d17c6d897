/**
 * The transform of a picture by its EXIF orientation.
 *
 * @module
 */

import type { Orientation } from "./exif.ts";
import type { RgbImage } from "../image.ts";

/** Returns `image` upright; the same object if it is already upright. */
export function orient(image: RgbImage, orientation: Orientation): RgbImage {
  if (orientation === 1) return image;
  const { height, width, pixels } = image;
  const turned = orientation >= 5;
  const size = turned ? { height: width, width: height } : { height, width };
  const { start, down, right } = walk(orientation, height, width);
  const upright = new Uint8ClampedArray(pixels.length);
  let out = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const at = (start + y * down + x * right) * 3;
      upright[out] = pixels[at]!;
      upright[out + 1] = pixels[at + 1]!;
      upright[out + 2] = pixels[at + 2]!;
      out += 3;
    }
  }
  return { ...size, pixels: upright };
}

/**
 * The strides of the upright picture's rows and columns in the stored one, in
 * pixels.
 */
interface Walk {
  /** Index of the stored pixel that becomes the top left one. */
  readonly start: number;
  /** Stride from one upright row to the next. */
  readonly down: number;
  /** Stride from one upright column to the next. */
  readonly right: number;
}

function walk(
  orientation: Exclude<Orientation, 1>,
  height: number,
  width: number,
): Walk {
  const topRight = width - 1;
  const bottomLeft = (height - 1) * width;
  const bottomRight = height * width - 1;
  switch (orientation) {
    case 2:
      return { start: topRight, down: width, right: -1 };
    case 3:
      return { start: bottomRight, down: -width, right: -1 };
    case 4:
      return { start: bottomLeft, down: -width, right: 1 };
    case 5:
      return { start: 0, down: 1, right: width };
    case 6:
      return { start: bottomLeft, down: 1, right: -width };
    case 7:
      return { start: bottomRight, down: -1, right: -width };
    case 8:
      return { start: topRight, down: -1, right: width };
  }
}
