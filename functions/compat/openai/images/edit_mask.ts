/**
 * The mask of an edit: transparent pixels are regenerated, as in OpenAI's API.
 *
 * Each code represents a square of pixels, and a code is drawn when any pixel
 * of its square is fully transparent.
 *
 * @module
 */

import type { GridSize } from "../../../../lib/grid.ts";
import {
  checkPixels,
  readHeader,
  shownSize,
} from "../../../../lib/image/header.ts";
import type { PixelSize, RgbImage } from "../../../../lib/image/image.ts";
import { decodeCost } from "../../../../lib/image/pixel_cost.ts";
import { turn } from "../../../metrics/event_loop.ts";
import type { Tools } from "../../../models/ports.ts";
import {
  acquirePixels,
  type PictureCall,
} from "../../../inference/pixel_budget.ts";

/**
 * Decodes the alpha channel of a picture in its displayed orientation.
 *
 * @throws {ImageError} If it is not an image.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function decodeAlpha(
  tools: Tools,
  bytes: Uint8Array,
  call: PictureCall,
): Promise<RgbImage> {
  const { codec, limits: { maxPixels } } = tools;
  const header = readHeader(bytes);
  checkPixels(header, 1, maxPixels);
  const work = { header, fileBytes: bytes.length, frames: 1 };
  const cost = decodeCost(work, shownSize(header));
  using _share = await acquirePixels(tools, cost, call);
  const options = { decode: "alpha", maxPixels } as const;
  return await codec.decodeImage(bytes, options, call);
}

/**
 * Returns the mask of kept codes of a grid of `size`: `[height × width]`, 0
 * where a pixel of the square is fully transparent in `alpha`, else 1.
 */
export async function keptByAlpha(
  alpha: RgbImage,
  size: GridSize,
): Promise<Uint8Array<ArrayBuffer>> {
  const kept = new Uint8Array(size.height * size.width);
  for (let y = 0; y < size.height; y++) {
    // A large mask takes long: other requests run in between.
    await turn();
    const rows = span(y, size.height, alpha.height);
    for (let x = 0; x < size.width; x++) {
      const columns = span(x, size.width, alpha.width);
      kept[y * size.width + x] = isOpaque(alpha, rows, columns) ? 1 : 0;
    }
  }
  return kept;
}

/** The first pixel of a side, and the offset after the last one. */
type Span = readonly [from: number, to: number];

/** Returns the pixels that square `index` of `count` touches. */
function span(index: number, count: number, pixels: number): Span {
  return [
    Math.floor(index * pixels / count),
    Math.ceil((index + 1) * pixels / count),
  ];
}

/** Returns true if no pixel is fully transparent. */
function isOpaque(
  { width, pixels }: PixelSize & Pick<RgbImage, "pixels">,
  [top, bottom]: Span,
  [left, right]: Span,
): boolean {
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      if (pixels[3 * (y * width + x)] === 0) return false;
    }
  }
  return true;
}
