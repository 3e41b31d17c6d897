/**
 * The limit of frames: the same for an animation of any type, for a list of
 * pictures and for a clip that is made.
 *
 * @module
 */

import { invalidField } from "../http/errors/errors.ts";
import type { Limits } from "../models/ports.ts";

/** Frames of pixels that a clip may have, unless told. */
export const DEFAULT_MAX_FRAMES = 256;

/** Returns the frames of pixels that a clip may have. */
export function frameLimit({ maxFrames = DEFAULT_MAX_FRAMES }: Limits): number {
  return maxFrames;
}

/**
 * Refuses a list of frames, or a clip, that is too long.
 *
 * @param pointer Field that has the frames.
 * @throws {InvalidFieldsError} When there are more than are taken.
 */
export function checkFrameCount(
  count: number,
  pointer: string,
  limits: Limits,
): void {
  const most = frameLimit(limits);
  if (count <= most) return;
  throw invalidField(
    pointer,
    `${count} frames are more than the ${most} that are taken (MAX_FRAMES): send fewer`,
  );
}
