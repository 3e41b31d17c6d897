/**
 * The requirements of every animation that is written.
 *
 * @module
 */

import type { PixelSize, RgbImage } from "./image.ts";

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
      `an animation plays up to 100 frames a second, not ${framesPerSecond}`,
    );
  }
  const [first] = frames;
  if (first === undefined) throw new RangeError("an animation needs a frame");
  const { height, width } = first;
  if (frames.some((f) => f.height !== height || f.width !== width)) {
    throw new RangeError("an animation needs frames of one size");
  }
  return { height, width };
}
