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
import type { InputSize } from "../../lib/vision/vision_sessions.ts";
import type { Limits, VisionModel } from "../models/ports.ts";

/** The maximum pixels of the published processor's pictures. */
const PUBLISHED_MAX_PIXELS = 1024 * 1024;

/** The memory of the runs of a vision tokenizer. */
export type RunMemory = Pick<
  VisionModel,
  "runBytesPerPixel" | "deviceMemoryBytes"
>;

/** The share of the memory that any run of the vision tokenizer may use. */
const RUN_SHARE = 1 / 8;

/** The share of the memory that a run over the largest picture may use. */
const PICTURE_RUN_SHARE = 3 / 4;

/**
 * Returns the maximum bytes of a run: a share of the memory, or the bytes of the
 * largest published picture, if they fit.
 */
function maxRunBytes(bytesPerPixel: number, memoryBytes: number): number {
  const picture = PUBLISHED_MAX_PIXELS * bytesPerPixel;
  return Math.max(
    RUN_SHARE * memoryBytes,
    Math.min(PICTURE_RUN_SHARE * memoryBytes, picture),
  );
}

/**
 * Refuses frames that are too large to be encoded or decoded together, as those
 * of one code are.
 *
 * @throws {ImageTooLargeError} If they do not fit into the memory.
 */
export function checkRunSize(
  { frames, height, width }: InputSize,
  direction: "encode" | "decode",
  vision: RunMemory,
  limits: Pick<Limits, "memoryBytes">,
): void {
  const each = vision.runBytesPerPixel[direction];
  const bytes = frames * height * width * each;
  const memoryBytes = vision.deviceMemoryBytes ?? limits.memoryBytes;
  const mostBytes = maxRunBytes(each, memoryBytes ?? Infinity);
  if (bytes <= mostBytes) return;
  const [needed, most] = [bytes, mostBytes].map(gigabytes);
  const [what, remedy] = frames === 1
    ? ["", "a smaller picture"]
    : [`${frames} frames of `, "smaller frames"];
  throw new ImageTooLargeError(
    `${what}${height} × ${width} pixels take ${needed} of memory to ${direction}, more than the ${most} for it here; send ${remedy}`,
  );
}

/**
 * Refuses a picture that is too large to encode.
 *
 * @throws {ImageTooLargeError} If its pixels are too many, or do not fit into
 * the memory.
 */
export function checkPixelSize(
  size: PixelSize,
  vision: RunMemory & Pick<VisionModel, "checkpoint">,
  limits: Limits,
): void {
  checkPixels(size, vision, limits);
  checkRunSize({ ...size, frames: 1 }, "encode", vision, limits);
}

/** The scale and the limits of a vision tokenizer's pictures. */
type PictureScale = Pick<VisionModel, "checkpoint" | "pixelsPerCode">;

/**
 * Refuses the codes of a picture of too many pixels, to be read, not decoded.
 *
 * @throws {ImageTooLargeError} If its pixels would be too many.
 */
export function checkGridPixels(
  grid: GridSize,
  vision: PictureScale,
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
  vision: RunMemory & PictureScale,
  limits: Limits,
): void {
  checkGridPixels(grid, vision, limits);
  const size = pixelSize(grid, vision);
  checkRunSize({ ...size, frames: 1 }, "decode", vision, limits);
}

function checkPixels(
  { height, width }: PixelSize,
  { checkpoint }: Pick<VisionModel, "checkpoint">,
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
