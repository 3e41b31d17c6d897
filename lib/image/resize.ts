/**
 * The bicubic resizer, bit-identical to Pillow.
 *
 * ```text
 * [H, W, 3] ─ horizontal pass ─▶ [H, w, 3] ─ vertical pass ─▶ [h, w, 3]
 * [H, W, 3] ─ vertical pass ─▶ [h, W, 3] ─ horizontal pass ─▶ [h, w, 3]
 * ```
 *
 * Own code, because codes depend on every bit of the pixels, and no library
 * resizes to the same bytes: Pillow widens the kernel when it shrinks
 * (antialiasing), uses a = −0.5, holds weights as 22-bit fixed-point numbers
 * and rounds to eight bits after each pass.
 *
 * @module
 */

import type { PixelSize, RgbImage } from "./image.ts";

/** Fractional bits of a weight: 32 bits less those of samples and overshoot. */
const precisionBits = 22;

/** Returns `image` at `size`; the same object if it already has that size. */
export function resizeBicubic(image: RgbImage, size: PixelSize): RgbImage {
  const { height, width } = size;
  if (
    !Number.isInteger(height) || !Number.isInteger(width) ||
    height < 1 || width < 1
  ) {
    throw new RangeError(
      `Cannot resize to ${height}×${width} pixels: both must be 1 or more`,
    );
  }
  if (shrinksMostlyInHeight(image, size)) {
    return resizeWidth(resizeHeight(image, height), width);
  }
  return resizeHeight(resizeWidth(image, width), height);
}

/**
 * Returns true if the vertical pass comes first.
 *
 * Each pass rounds, so the order affects the last bit. This is the rule of
 * Pillow 13; earlier versions always begin with the horizontal pass.
 */
function shrinksMostlyInHeight(from: PixelSize, to: PixelSize): boolean {
  const rowsLost = from.height - to.height;
  const columnsLost = from.width - to.width;
  return rowsLost > 0 && rowsLost > 2 * columnsLost;
}

/** The window and weights of every output sample along one side. */
interface Kernel {
  /** The first input of each window, `[outputs]`. */
  readonly starts: Int32Array;
  /** Number of inputs in each window, `[outputs]`. */
  readonly lengths: Int32Array;
  /** Fixed-point weights, `[outputs, span]`; zero beyond a window's length. */
  readonly weights: Int32Array;
  /** Length of the longest window. */
  readonly span: number;
}

function resizeWidth(image: RgbImage, width: number): RgbImage {
  const { height, pixels } = image;
  if (width === image.width) return image;
  const { starts, lengths, weights, span } = kernel(image.width, width);
  const resized = new Uint8ClampedArray(height * width * 3);
  let out = 0;
  for (let y = 0; y < height; y++) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x++) {
      const first = x * span;
      const last = first + lengths[x]!;
      let red = half;
      let green = half;
      let blue = half;
      let at = row + starts[x]! * 3;
      for (let i = first; i < last; i++) {
        const weight = weights[i]!;
        red += Math.imul(pixels[at]!, weight);
        green += Math.imul(pixels[at + 1]!, weight);
        blue += Math.imul(pixels[at + 2]!, weight);
        at += 3;
      }
      // The array clamps to 0–255, as Pillow's lookup table does.
      resized[out] = red >> precisionBits;
      resized[out + 1] = green >> precisionBits;
      resized[out + 2] = blue >> precisionBits;
      out += 3;
    }
  }
  return { height, width, pixels: resized };
}

function resizeHeight(image: RgbImage, height: number): RgbImage {
  const { width, pixels } = image;
  if (height === image.height) return image;
  const { starts, lengths, weights, span } = kernel(image.height, height);
  const stride = width * 3;
  const resized = new Uint8ClampedArray(height * stride);
  // Whole rows are accumulated, so that memory is read in order.
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(half);
    const count = lengths[y]!;
    for (let k = 0; k < count; k += ROWS) {
      const row = (i: number) => {
        // Weights beyond the window are zero, so any row does.
        const at = (starts[y]! + Math.min(k + i, count - 1)) * stride;
        return pixels.subarray(at, at + stride);
      };
      const weight = (i: number) =>
        k + i < count ? weights[y * span + k + i]! : 0;
      addRows(
        sums,
        [row(0), row(1), row(2), row(3)],
        [weight(0), weight(1), weight(2), weight(3)],
      );
    }
    const start = y * stride;
    for (let i = 0; i < stride; i++) {
      resized[start + i] = sums[i]! >> precisionBits;
    }
  }
  return { height, width, pixels: resized };
}

/** Rows that are added at once: each sum is read and written once for them. */
const ROWS = 4;

type Four<T> = readonly [T, T, T, T];

/** Adds weighted rows to `sums`. */
function addRows(
  sums: Int32Array,
  [p, q, r, s]: Four<Uint8ClampedArray>,
  [a, b, c, d]: Four<number>,
): void {
  for (let i = 0; i < sums.length; i++) {
    // Whole sums stay below 2³¹, so products of integers are exact.
    sums[i] = sums[i]! + Math.imul(p[i]!, a) + Math.imul(q[i]!, b) +
      Math.imul(r[i]!, c) + Math.imul(s[i]!, d);
  }
}

/** One half in fixed point: sums start here, so that the shift rounds. */
const half = 1 << (precisionBits - 1);

function kernel(inputs: number, outputs: number): Kernel {
  const scale = inputs / outputs;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const span = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outputs);
  const lengths = new Int32Array(outputs);
  const weights = new Int32Array(outputs * span);
  const exact = new Float64Array(span);
  for (let o = 0; o < outputs; o++) {
    const center = (o + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(inputs, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = start; i < end; i++) {
      const weight = cubic((i - center + 0.5) * (1 / stretch));
      exact[i - start] = weight;
      sum += weight;
    }
    for (let i = 0; i < end - start; i++) {
      weights[o * span + i] = toFixedPoint(exact[i]! / sum);
    }
    starts[o] = start;
    lengths[o] = end - start;
  }
  return { starts, lengths, weights, span };
}

/** Returns Keys' cubic convolution kernel, a = −0.5. */
function cubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

/**
 * Returns a weight rounded half away from zero, as C's cast of `x ± 0.5` does.
 */
function toFixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** precisionBits + (weight < 0 ? -0.5 : 0.5));
}
