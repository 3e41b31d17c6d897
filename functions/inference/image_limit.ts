/**
 * The image limits: the pixels that one run of the vision tokenizer may have.
 *
 * Activations take far more memory than pixels, so a file within `MAX_PIXELS`
 * can be too large here.
 *
 * @module
 */

import { ImageTooLargeError } from "../../lib/errors.ts";
import { type GridSize, pixelSize } from "../../lib/grid.ts";
import type { PixelSize } from "../../lib/image/image.ts";
import { gigabytes } from "../../lib/loading/weight_memory.ts";
import type { Limits, VisionModel } from "../models/ports.ts";

/** The maximum pixels of the published processor's pictures. */
const PUBLISHED_MAX_PIXELS = 1024 * 1024;

/** The vision tokenizer of a picture, for its limits. */
export type PictureVision = Pick<
  VisionModel,
  "checkpoint" | "pixelsPerCode" | "runBytesPerPixel" | "deviceMemoryBytes"
>;

/** The share of the memory that a run may use. */
const RUN_SHARE = 3 / 4;

/**
 * Refuses a picture that is too large to encode.
 *
 * @throws {ImageTooLargeError} If its pixels are too many, or do not fit into
 * the memory.
 */
export function checkPixelSize(
  size: PixelSize,
  vision: PictureVision,
  limits: Limits,
): void {
  checkPixels(size, vision, limits);
  checkRunSize(size, "encode", vision, limits);
}

/**
 * Refuses the codes of a picture of too many pixels, to be read, not decoded.
 *
 * @throws {ImageTooLargeError} If its pixels would be too many.
 */
export function checkGridPixels(
  grid: GridSize,
  vision: PictureVision,
  limits: Limits,
): void {
  checkPixels(pixelSize(grid, vision), vision, limits);
}

/**
 * Refuses a grid that is too large to decode.
 *
 * @throws {ImageTooLargeError} If its pixels would be too many, or not fit into
 * the memory.
 */
export function checkGridSize(
  grid: GridSize,
  vision: PictureVision,
  limits: Limits,
): void {
  checkGridPixels(grid, vision, limits);
  checkRunSize(pixelSize(grid, vision), "decode", vision, limits);
}

/** Refuses a frame that does not fit into the memory. */
function checkRunSize(
  { height, width }: PixelSize,
  direction: "encode" | "decode",
  vision: PictureVision,
  limits: Pick<Limits, "memoryBytes">,
): void {
  const bytes = height * width * vision.runBytesPerPixel[direction];
  const memoryBytes = vision.deviceMemoryBytes ?? limits.memoryBytes;
  const mostBytes = RUN_SHARE * (memoryBytes ?? Infinity);
  if (bytes <= mostBytes) return;
  const [needed, most] = [bytes, mostBytes].map(gigabytes);
  throw new ImageTooLargeError(
    `${height} × ${width} pixels take ${needed} of memory to ${direction}, more than the ${most} for it here; send a smaller picture`,
  );
}

function checkPixels(
  { height, width }: PixelSize,
  { checkpoint }: PictureVision,
  { maxPixels }: Pick<Limits, "maxPixels">,
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
