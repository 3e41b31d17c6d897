/**
 * The work of a call of the picture codec, in pixels, estimated before it
 * starts.
 *
 * @module
 */

import { readHeader } from "../header.ts";
import type { PixelSize } from "../image.ts";
import type { Call } from "./picture_thread.ts";

/**
 * Returns the pixels that `call` decodes, resizes or encodes, over all frames
 * of a file. Returns 0 for bytes without a valid header, which are refused at
 * once.
 */
export function pixelsOf({ method, args: [subject] }: Call): number {
  if (!(subject instanceof Uint8Array)) {
    // The subject of every other call is a picture.
    const { height, width } = subject as PixelSize;
    return height * width;
  }
  try {
    const { height, width, frames } = readHeader(subject);
    return height * width * (method === "decodeImage" ? 1 : frames);
  } catch {
    return 0;
  }
}
