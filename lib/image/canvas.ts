/**
 * Composing an animation's frames onto its canvas.
 *
 * ```text
 * canvas ─ blend frame ─▶ shown ─ dispose ─▶ canvas for the next frame
 * ```
 *
 * The same rules serve APNG and animated WebP; the canvas starts transparent.
 * One canvas is all that is held, however many frames there are.
 *
 * @module
 */

import type { PixelSize } from "./image.ts";
import { type LayOver, layOverExactly } from "./lay_over.ts";
import type { RgbaImage } from "./rgba.ts";

/** A frame and how it meets the canvas. */
export interface PlacedFrame {
  /** The frame's own pixels. */
  readonly image: RgbaImage;
  /** Rows above it, in pixels. */
  readonly top: number;
  /** Columns left of it, in pixels. */
  readonly left: number;
  /** Whether its pixels replace the canvas's or are laid over them. */
  readonly blend: "source" | "over";
  /** What becomes of its place once it was shown. */
  readonly dispose: "keep" | "clear" | "previous";
  /** The color of its place once it is cleared; transparent black by default. */
  readonly cleared?: Rgba;
  /** Where its pixels replace the canvas's anyway, since that is bare; nowhere by default. */
  readonly bare?: Place | undefined;
}

/** A rectangle of the canvas. */
export interface Place extends PixelSize {
  /** Rows above it, in pixels. */
  readonly top: number;
  /** Columns left of it, in pixels. */
  readonly left: number;
}

/** Red, green, blue and alpha, 0–255. */
export type Rgba = readonly [number, number, number, number];

/** Options of {@linkcode composeFrames}. */
export interface ComposeOptions {
  /** The arithmetic of `over`; by the APNG specification by default. */
  readonly layOver?: LayOver;
  /** The color of the canvas before the first frame; transparent black by default. */
  readonly ground?: Rgba;
}

const TRANSPARENT: Rgba = [0, 0, 0, 0];

/**
 * Yields the picture that is seen at each frame: the canvas itself, to be read
 * before the next frame is asked for.
 *
 * @param frames Lie within `size`.
 */
export async function* composeFrames(
  size: PixelSize,
  frames: AsyncIterable<PlacedFrame>,
  { ground = TRANSPARENT, layOver = layOverExactly }: ComposeOptions = {},
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

/** @param canvas `[height, width, 4]`. Overwritten. */
function draw(
  canvas: Uint8ClampedArray,
  width: number,
  { image, top, left, blend, bare }: PlacedFrame,
  layOver: LayOver,
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

/** Returns the columns of a row that lie in `place`, counted from the row's first. */
function overlap(
  place: Place,
  y: number,
  left: number,
  width: number,
): [from: number, to: number] {
  if (y < place.top || y >= place.top + place.height) return [0, 0];
  const from = Math.max(0, place.left - left);
  const to = Math.min(width, place.left + place.width - left);
  return [from, Math.max(from, to)];
}

/** @param canvas `[height, width, 4]`. Overwritten. */
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

/** @param pixels `[…, 4]`. Overwritten. */
function fill(pixels: Uint8ClampedArray, color: Rgba): void {
  const { buffer, byteOffset, length } = pixels;
  const [packed = 0] = new Uint32Array(Uint8Array.from(color).buffer);
  new Uint32Array(buffer, byteOffset, length / 4).fill(packed);
}
