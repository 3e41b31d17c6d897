/**
 * The limit of frames: the same for an animation of any type, for a list of
 * pictures and for a decoded clip.
 *
 * @module
 */

import { invalidField } from "../http/errors/errors.ts";
import type { Limits } from "../models/ports.ts";

/** The default maximum of a clip's frames of pixels. */
export const DEFAULT_MAX_FRAMES = 256;

/** Returns the maximum of a clip's frames of pixels. */
export function frameLimit({ maxFrames = DEFAULT_MAX_FRAMES }: Limits): number {
  return maxFrames;
}

/**
 * Refuses a list of frames, or a clip, that is too long.
 *
 * @param pointer JSON pointer to the field with the frames.
 * @throws {InvalidFieldsError} If there are more than the limit.
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
    `${count} frames are more than the limit of ${most} (MAX_FRAMES); send fewer`,
  );
}
