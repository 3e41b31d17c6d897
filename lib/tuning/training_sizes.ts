/**
 * The sizes that a picture is resized to before it is encoded for tuning.
 *
 * ```text
 * released   area of about `imageArea`, then the image processor's size
 * smart      the image processor's size, as for questions
 * none       its own size, which must be whole in codes
 * ```
 *
 * The released script resizes twice, and each resize rounds pixels, so both are
 * needed for equal codes. Source: emu3/train/prepare_data.py, `smart_resize`.
 *
 * @module
 */

import type { PixelSize } from "../image/image.ts";
import { roundHalfEven } from "../aspect.ts";
import {
  requireWholeCodes,
  smartResize,
  type SmartResizeOptions,
} from "../vision/smart_resize.ts";

/** The kinds of resizing. */
export const RESIZES = ["released", "smart", "none"] as const;

/** A kind of resizing. */
export type Resize = (typeof RESIZES)[number];

/** Options of {@linkcode trainingSizes}. */
export interface TrainingSizeOptions extends SmartResizeOptions {
  /** Kind of resizing. */
  readonly resize: Resize;
  /** Area of the first released resize, in pixels². */
  readonly imageArea: number;
}

/**
 * Returns the sizes of each resize in order, without those that change nothing.
 *
 * @param source Size of the picture.
 * @throws {ImageSizeError} If it cannot be resized: too small, too long, or not
 * whole in codes.
 */
export function trainingSizes(
  source: PixelSize,
  options: TrainingSizeOptions,
): readonly PixelSize[] {
  const { resize, imageArea, factor } = options;
  const sizes: PixelSize[] = [];
  if (resize === "none") {
    requireWholeCodes(source, factor);
    return [];
  }
  if (resize === "released") sizes.push(areaSize(source, imageArea));
  sizes.push(smartResize(sizes[0] ?? source, options));
  return sizes.filter(({ height, width }, i) => {
    const before = sizes[i - 1] ?? source;
    return height !== before.height || width !== before.width;
  });
}

/** Returns the size of about `imageArea` with the same ratio, unaligned. */
function areaSize({ height, width }: PixelSize, imageArea: number): PixelSize {
  const ratio = Math.sqrt(imageArea / (height * width));
  return {
    height: roundHalfEven(height * ratio),
    width: roundHalfEven(width * ratio),
  };
}
