/**
 * The image limits: the pixels that one run of the vision tokenizer may have.
 *
 * Its activations take 3 GiB for a million pixels (measured with emu3-mini: 3.1
 * GiB for a picture of 1024 × 1024, 11.5 for four frames of 1000 × 1000), so
 * a file within `MAX_PIXELS` can be too large here.
 *
 * @module
 */

import { ImageTooLargeError } from "../../lib/errors.ts";
import { type GridSize, pixelSize } from "../../lib/grid.ts";
import type { PixelSize } from "../../lib/image/image.ts";
import type { Limits, VisionModel } from "../models/ports.ts";

/** The maximum pixels of the published processor's pictures. */
const PUBLISHED_MAX_PIXELS = 1024 * 1024;

/** The bytes of activations for each pixel of a run. */
export const RUN_BYTES_PER_PIXEL = 3072;

/** The share of the memory that a run of the vision tokenizer may use. */
const RUN_MEMORY_SHARE = 1 / 4;

/**
 * Returns the maximum pixels of one run, all frames together: those of the
 * largest published picture, or more if there is memory.
 */
export function maxRunPixels(memoryBytes: number): number {
  const fitting = RUN_MEMORY_SHARE * memoryBytes / RUN_BYTES_PER_PIXEL;
  return Math.max(PUBLISHED_MAX_PIXELS, Math.floor(fitting));
}

/**
 * Refuses frames that are too large to be encoded or decoded together, as those
 * of one code are.
 *
 * @throws {ImageTooLargeError} If their pixels are too many.
 */
export function checkRunSize(
  { height, width }: PixelSize,
  frames: number,
  { maxRunPixels = PUBLISHED_MAX_PIXELS }: Limits,
): void {
  const pixels = frames * height * width;
  if (pixels <= maxRunPixels) return;
  throw new ImageTooLargeError(
    `${frames} frames of ${height} × ${width} pixels are ${pixels}, more than the ${maxRunPixels} that fit into memory at once; send smaller frames`,
  );
}

/**
 * Refuses a picture that is too large to encode.
 *
 * @throws {ImageTooLargeError} If its pixels are too many.
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
 * @throws {ImageTooLargeError} If its pixels would be too many.
 */
export function checkGridSize(
  size: GridSize,
  vision: Pick<VisionModel, "checkpoint" | "pixelsPerCode">,
  limits: Limits,
): void {
  checkPixelSize(pixelSize(size, vision), vision, limits);
}
