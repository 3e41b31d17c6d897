/**
 * How large a picture the vision tokenizer is asked for.
 *
 * Its activations take about a gigabyte for a million pixels of the published
 * model, so what `MAX_PIXELS` lets a file have is too much here.
 *
 * @module
 */

import { ImageTooLargeError } from "../lib/errors.ts";
import type { GridSize } from "../lib/grid.ts";
import type { PixelSize } from "../lib/vision/image.ts";
import type { Limits, VisionModel } from "./ports.ts";

/** The greatest picture that the published processor makes. */
const PUBLISHED_MAX_PIXELS = 1024 * 1024;

/**
 * Refuses a picture that is too large to encode.
 *
 * @throws {ImageTooLargeError} When its pixels are too many.
 */
export function checkPixelSize(
  { height, width }: PixelSize,
  { checkpoint }: Pick<VisionModel, "checkpoint">,
  { maxPixels }: Limits,
): void {
  const most = Math.min(
    maxPixels,
    Math.max(PUBLISHED_MAX_PIXELS, checkpoint.preprocessor.maxPixels),
  );
  if (height * width <= most) return;
  throw new ImageTooLargeError(
    `${height} × ${width} pixels are ${
      height * width
    }, at most ${most} become codes or are made from them`,
  );
}

/**
 * Refuses a grid that is too large to decode.
 *
 * @throws {ImageTooLargeError} When its pixels would be too many.
 */
export function checkGridSize(
  { height, width }: GridSize,
  vision: Pick<VisionModel, "checkpoint" | "pixelsPerCode">,
  limits: Limits,
): void {
  const { pixelsPerCode } = vision;
  const size = { height: height * pixelsPerCode, width: width * pixelsPerCode };
  checkPixelSize(size, vision, limits);
}
