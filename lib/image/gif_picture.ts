/**
 * The decoder of GIF pictures.
 *
 * The result is valid in both modes: transparent pixels have zero alpha, and
 * the colors of Pillow.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { composeFrames, type PlacedFrame, type Rgba } from "./canvas.ts";
import {
  type GifDisposal,
  type GifFrame,
  type GifLayout,
  readGifLayout,
} from "./format/gif.ts";
import { decodeGifLzw } from "./format/gif_lzw.ts";
import type { RgbaImage } from "./rgba.ts";

/**
 * The maximum ratio of a frame's pixels to those of the canvas: pixels outside
 * of the canvas are decoded as well.
 */
const MAX_FRAME_SHARE = 4;

/** Options of {@linkcode decodeGifFrames}. */
export interface GifOptions {
  /** True to dispose of frames as Pillow does, false as viewers do. */
  readonly reference: boolean;
}

/** Decodes every frame on its canvas, which is overwritten by the next. */
export async function* decodeGifFrames(
  bytes: Uint8Array,
  { reference }: GifOptions,
): AsyncGenerator<RgbaImage, void, undefined> {
  const layout = readGifLayout(bytes);
  const [first] = layout.frames;
  // The background of Pillow: the transparent index, or index 0.
  const ground = withoutAlpha(first!, first!.transparentIndex ?? 0);
  const disposals = reference
    ? disposalsOfPillow(layout)
    : layout.frames.map(({ disposal }) => shownDisposal(disposal));
  const frames = placedFrames(bytes, layout, disposals);
  yield* composeFrames(layout, frames, { ground });
  if (!layout.whole) throw new ImageError("the GIF is truncated");
}

/** Decodes the first frame on its canvas; the others may be damaged. */
export async function decodeGifStill(bytes: Uint8Array): Promise<RgbaImage> {
  const frames = decodeGifFrames(bytes, { reference: false });
  for await (const image of frames) return image;
  throw new TypeError("the layout has no frame");
}

async function* placedFrames(
  bytes: Uint8Array,
  layout: GifLayout,
  disposals: readonly PlacedFrame["dispose"][],
): AsyncGenerator<PlacedFrame, void, undefined> {
  for (const [i, frame] of layout.frames.entries()) {
    const { top, left } = frame;
    const background = frame.transparentIndex ?? layout.background;
    yield {
      image: decodeFrame(bytes, frame, layout),
      top,
      left,
      // The first frame replaces, to keep the colors of its transparent pixels.
      blend: i === 0 ? "source" : "over",
      dispose: disposals[i]!,
      cleared: withoutAlpha(frame, background),
    };
  }
}

function shownDisposal(disposal: GifDisposal): PlacedFrame["dispose"] {
  return disposal === "unnamed" ? "keep" : disposal;
}

/**
 * Returns the disposals of Pillow: an unnamed one repeats the last one, and the
 * first frame, before which there is nothing to restore, is cleared if it has a
 * transparent color.
 */
function disposalsOfPillow(
  { frames }: GifLayout,
): readonly PlacedFrame["dispose"][] {
  let last: PlacedFrame["dispose"] = "keep";
  return frames.map(({ disposal, transparentIndex }, i) => {
    if (disposal !== "unnamed") last = disposal;
    if (i > 0 || last !== "previous") return last;
    return transparentIndex === undefined ? "keep" : "clear";
  });
}

/** Decodes the part of a frame that lies within the canvas. */
function decodeFrame(
  bytes: Uint8Array,
  frame: GifFrame,
  canvas: GifLayout,
): RgbaImage {
  const area = frame.height * frame.width;
  if (area > MAX_FRAME_SHARE * canvas.height * canvas.width) {
    throw new ImageError(
      `a frame of the GIF has ${frame.height}×${frame.width} pixels, its canvas ${canvas.height}×${canvas.width}; save it again`,
    );
  }
  const indices = decodeGifLzw(bytes, frame.dataOffset, area);
  const height = Math.max(0, Math.min(frame.height, canvas.height - frame.top));
  const width = Math.max(0, Math.min(frame.width, canvas.width - frame.left));
  const pixels = new Uint8ClampedArray(height * width * 4);
  const packed = new Uint32Array(pixels.buffer);
  const colors = packedColors(frame);
  const rows = frame.interlaced ? interlacedRows(frame.height) : undefined;
  for (let stored = 0; stored < frame.height; stored++) {
    const y = rows?.[stored] ?? stored;
    if (y >= height) continue;
    const from = stored * frame.width;
    const to = y * width;
    for (let x = 0; x < width; x++) {
      packed[to + x] = colors[indices[from + x]!]!;
    }
  }
  return { height, width, pixels };
}

/**
 * Returns the colors of all indices, four bytes each in the order of memory.
 */
function packedColors(frame: GifFrame): Uint32Array {
  const bytes = new Uint8Array(4 * 256);
  for (let index = 0; index < 256; index++) {
    const alpha = index === frame.transparentIndex ? 0 : 255;
    bytes.set([...colorOf(frame, index), alpha], 4 * index);
  }
  return new Uint32Array(bytes.buffer);
}

/** Returns the color of an index, with zero alpha. */
function withoutAlpha(frame: GifFrame, index: number): Rgba {
  return [...colorOf(frame, index), 0];
}

/**
 * Returns the color of an index as in Pillow: black beyond the palette, or the
 * gray of that level if there is no palette.
 */
function colorOf({ palette }: GifFrame, index: number): Rgb {
  if (palette.length === 0) return [index, index, index];
  const [red = 0, green = 0, blue = 0] = palette.subarray(3 * index);
  return [red, green, blue];
}

type Rgb = readonly [number, number, number];

/**
 * Returns the index of each stored row: every 8th, those between, every 4th,
 * every 2nd.
 */
function interlacedRows(height: number): number[] {
  const passes = [[0, 8], [4, 8], [2, 4], [1, 2]] as const;
  return passes.flatMap(([start, step]) => {
    const rows = [];
    for (let y = start; y < height; y += step) rows.push(y);
    return rows;
  });
}
