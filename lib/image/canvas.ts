/**
 * The composition of an animation's frames on its canvas.
 *
 * ```text
 * canvas ─ blend frame ─▶ displayed ─ dispose ─▶ canvas for the next frame
 * ```
 *
 * The same rules apply to APNG and animated WebP; the canvas starts
 * transparent. Memory is one canvas, independent of the number of frames.
 *
 * @module
 */

import type { PixelSize } from "./image.ts";
import { type AlphaBlend, blendExactly } from "./alpha_blend.ts";
import type { RgbaImage } from "./rgba.ts";

/** A frame, with its position and composition on the canvas. */
export interface PlacedFrame {
  /** Pixels of the frame. */
  readonly image: RgbaImage;
  /** Rows above it, in pixels. */
  readonly top: number;
  /** Columns left of it, in pixels. */
  readonly left: number;
  /**
   * The blend mode: pixels replace those of the canvas or are blended over
   * them.
   */
  readonly blend: "source" | "over";
  /** The disposal of the frame after it was displayed. */
  readonly dispose: "keep" | "clear" | "previous";
  /** Color of its area after it is cleared; transparent black by default. */
  readonly cleared?: Rgba;
  /**
   * The cleared area of the canvas, in which pixels always replace; none by
   * default.
   */
  readonly bare?: FramePlace | undefined;
}

/** A rectangle of the canvas. */
export interface FramePlace extends PixelSize {
  /** Rows above it, in pixels. */
  readonly top: number;
  /** Columns left of it, in pixels. */
  readonly left: number;
}

/** A color: red, green, blue and alpha, 0–255. */
export type Rgba = readonly [number, number, number, number];

/** Options of {@linkcode composeFrames}. */
export interface ComposeOptions {
  /** The blending of `over`; that of the APNG specification by default. */
  readonly layOver?: AlphaBlend;
  /**
   * The color of the canvas before the first frame; transparent black by
   * default.
   */
  readonly ground?: Rgba;
}

const TRANSPARENT: Rgba = [0, 0, 0, 0];

/**
 * Yields the visible picture at each frame: the canvas itself, which is valid
 * until the next frame is requested.
 *
 * @param frames Frames within `size`.
 */
export async function* composeFrames(
  size: PixelSize,
  frames: AsyncIterable<PlacedFrame>,
  { ground = TRANSPARENT, layOver = blendExactly }: ComposeOptions = {},
): AsyncGenerator<RgbaImage, void, undefined> {
  const { height, width } = size;
  let canvas = new Uint8ClampedArray(height * width * 4);
  fill(canvas, ground);
  for await (const frame of frames) {
    const before = frame.dispose === "previous" ? canvas.slice() : canvas;
    draw(canvas, width, frame, layOver);
    yield { height, width, pixels: canvas };
    canvas = before;
    if (frame.dispose === "clear") clear(canvas, width, frame);
  }
}

/**
 * @param canvas Pixels `[height, width, 4]`; overwritten.
 */
function draw(
  canvas: Uint8ClampedArray,
  width: number,
  { image, top, left, blend, bare }: PlacedFrame,
  layOver: AlphaBlend,
): void {
  const stride = image.width * 4;
  for (let y = 0; y < image.height; y++) {
    const row = image.pixels.subarray(y * stride, (y + 1) * stride);
    const start = ((top + y) * width + left) * 4;
    if (blend === "source") canvas.set(row, start);
    else layOver(canvas.subarray(start, start + stride), row);
    if (bare === undefined) continue;
    const [from, to] = overlap(bare, top + y, left, image.width);
    canvas.set(row.subarray(4 * from, 4 * to), start + 4 * from);
  }
}

/**
 * Returns the columns of a row that lie in `place`, counted from the row's
 * first.
 */
function overlap(
  place: FramePlace,
  y: number,
  left: number,
  width: number,
): [from: number, to: number] {
  if (y < place.top || y >= place.top + place.height) return [0, 0];
  const from = Math.max(0, place.left - left);
  const to = Math.min(width, place.left + place.width - left);
  return [from, Math.max(from, to)];
}

/**
 * @param canvas Pixels `[height, width, 4]`; overwritten.
 */
function clear(
  canvas: Uint8ClampedArray,
  width: number,
  { image, top, left, cleared = TRANSPARENT }: PlacedFrame,
): void {
  for (let y = top; y < top + image.height; y++) {
    const start = (y * width + left) * 4;
    fill(canvas.subarray(start, start + image.width * 4), cleared);
  }
}

/**
 * @param pixels Pixels `[…, 4]`; overwritten.
 */
function fill(pixels: Uint8ClampedArray, color: Rgba): void {
  const { buffer, byteOffset, length } = pixels;
  const [packed = 0] = new Uint32Array(Uint8Array.from(color).buffer);
  new Uint32Array(buffer, byteOffset, length / 4).fill(packed);
}
