/**
 * The size that a picture is resized to before encoding.
 *
 * Both sides are rounded to multiples of the factor; if the area is then
 * outside the limits, both are scaled by the same number and rounded inward.
 * The limits of sides and aspect are those of the released image processor; the
 * transformers port has wider ones.
 *
 * @module
 */

import { ImageSizeError } from "../errors.ts";
import type { PixelSize } from "../image/image.ts";
import { roundHalfEven } from "../aspect.ts";

/** The limits of {@linkcode smartResize}. */
export interface SmartResizeOptions {
  /** Pixels per code along a side: results are multiples of it. */
  readonly factor: number;
  /** The minimum area, in pixels². */
  readonly minPixels: number;
  /** The maximum area, in pixels². */
  readonly maxPixels: number;
}

/** The maximum ratio of one side to the other. */
const maxAspect = 5;

/**
 * Returns the size nearest to `size` that is a whole number of codes and within
 * the limits.
 *
 * @throws {ImageSizeError} If a side is shorter than the factor or one side is
 * over five times the other.
 */
export function smartResize(
  size: PixelSize,
  options: SmartResizeOptions,
): PixelSize {
  const { height, width } = size;
  const { factor, minPixels, maxPixels } = options;
  checkSides(size, factor);
  const nearest = {
    height: roundHalfEven(height / factor) * factor,
    width: roundHalfEven(width / factor) * factor,
  };
  const area = nearest.height * nearest.width;
  if (area > maxPixels) {
    const shrink = Math.sqrt((height * width) / maxPixels);
    return {
      height: Math.floor(height / shrink / factor) * factor,
      width: Math.floor(width / shrink / factor) * factor,
    };
  }
  if (area < minPixels) {
    const grow = Math.sqrt(minPixels / (height * width));
    return {
      height: Math.ceil((height * grow) / factor) * factor,
      width: Math.ceil((width * grow) / factor) * factor,
    };
  }
  return nearest;
}

function checkSides({ height, width }: PixelSize, factor: number): void {
  if (height < factor || width < factor) {
    throw new ImageSizeError(
      `it is ${height} pixels high and ${width} wide; both must be at least ${factor}`,
    );
  }
  const aspect = Math.max(height, width) / Math.min(height, width);
  if (aspect > maxAspect) {
    throw new ImageSizeError(
      `it is ${height} pixels high and ${width} wide; the longer side may be at most ${maxAspect} times the shorter`,
    );
  }
}

/**
 * Checks that a picture can be encoded without resizing.
 *
 * @throws {ImageSizeError} If a side is not a multiple of the factor.
 */
export function requireWholeCodes(
  { height, width }: PixelSize,
  factor: number,
): void {
  if (height % factor === 0 && width % factor === 0) return;
  throw new ImageSizeError(
    `it is ${height} pixels high and ${width} wide; without resizing, both must be multiples of ${factor}`,
  );
}
