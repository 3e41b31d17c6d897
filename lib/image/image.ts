/**
 * The picture type, eight-bit RGB, and the check of an animation's frames.
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
 * Returns the size of `frames`.
 *
 * @throws {RangeError} If there is none, sizes differ, or the rate is out of
 * range.
 */
export function animationSize(
  frames: readonly RgbImage[],
  { framesPerSecond }: AnimationOptions,
): PixelSize {
  if (!(framesPerSecond > 0 && framesPerSecond <= 100)) {
    throw new RangeError(
      `expected a frame rate of at most 100 frames per second, not ${framesPerSecond}`,
    );
  }
  const [first] = frames;
  if (first === undefined) {
    throw new RangeError("an animation needs at least one frame");
  }
  const { height, width } = first;
  if (frames.some((f) => f.height !== height || f.width !== width)) {
    throw new RangeError("all frames of an animation must have the same size");
  }
  return { height, width };
}
