/**
 * The picture type, eight-bit RGB, and the rate of an animation.
 *
 * @module
 */

/** A height and a width in pixels. */
export interface PixelSize {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
}

/** An eight-bit RGB picture. */
export interface RgbImage extends PixelSize {
  /** Samples `[height, width, 3]`, 0–255. */
  readonly pixels: Uint8ClampedArray;
}

/** Extensions in lower case. */
export const PICTURE_EXTENSIONS: readonly string[] = [
  ".png",
  ".apng",
  ".jpg",
  ".jpeg",
  ".gif",
  ".webp",
];

/** Options of playback. */
export interface AnimationOptions {
  /**
   * Frame rate, above zero, at most 100: GIF counts in hundredths of a second.
   */
  readonly framesPerSecond: number;
}

/**
 * Checks the options of playback.
 *
 * @throws {RangeError} If the rate is out of range.
 */
export function checkFrameRate({ framesPerSecond }: AnimationOptions): void {
  if (framesPerSecond > 0 && framesPerSecond <= 100) return;
  throw new RangeError(
    `expected a frame rate of at most 100 frames per second, not ${framesPerSecond}`,
  );
}
