/**
 * GIF → pixels.
 *
 * @module
 */

import { decodeGif } from "./codec/imagescript.ts";
import {
  GIF_TRANSPARENT_FLAG,
  type GifFrame,
  readGifLayout,
} from "./format/gif.ts";
import type { RgbaImage } from "./rgba.ts";

/** Decodes every frame as a person sees it; each is the caller's. */
export async function* decodeGifFrames(
  bytes: Uint8Array,
): AsyncGenerator<RgbaImage, void, undefined> {
  yield* await decodeGif(bytes, "all");
}

/** Decodes the first frame as a person sees it. */
export async function decodeGifStill(bytes: Uint8Array): Promise<RgbaImage> {
  const [first] = await decodeGif(bytes, "first");
  return first!; // a layout without frames was refused with the header
}

/**
 * Decodes the first frame as PIL's `convert("RGB")` does: transparent pixels
 * keep their palette color, and what the frame leaves bare has the color of the
 * transparent index, or of index 0.
 */
export async function decodeGifAsReference(
  bytes: Uint8Array,
): Promise<RgbaImage> {
  const frame = readGifLayout(bytes).frames[0]!;
  const opaque = bytes.slice();
  if (frame.flagsOffset !== undefined) {
    opaque[frame.flagsOffset]! &= ~GIF_TRANSPARENT_FLAG;
  }
  const image = await decodeGifStill(opaque);
  fillBare(image.pixels, frame);
  return image;
}

/** @param pixels `[height, width, 4]`, transparent where no frame was drawn. Overwritten. */
function fillBare(pixels: Uint8ClampedArray, frame: GifFrame): void {
  const index = frame.transparentIndex ?? 0;
  const color = frame.palette.subarray(index * 3, index * 3 + 3);
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] === 0) pixels.set(color, i);
  }
}
