/**
 * The transform of a JPEG component's coefficients into samples at full size.
 *
 * ```text
 * [blocks, 64] ─ dequantize, inverse DCT ─▶ [height', width'] ─ upsample ─▶ [height, width]
 * ```
 *
 * It uses the integer arithmetic of libjpeg's "slow" transform and "fancy"
 * upsampling, so that samples are bit-identical. Source: jidctint.c and
 * jdsample.c of libjpeg-turbo.
 *
 * @module
 */

import type { JpegComponent } from "./format/jpeg_scans.ts";
import type { PixelSize } from "./image.ts";

/** A plane of samples. */
export interface SamplePlane extends PixelSize {
  /** Samples, `[height, stride]`. */
  readonly samples: Uint8ClampedArray;
  /** Number of samples from a row to the next. */
  readonly stride: number;
}

/**
 * Returns the samples of a component, `[8 × blocksHigh, 8 × blocksWide]`; those
 * outside of `size` are padding.
 */
export function samplesOf(
  component: JpegComponent,
  { height, width }: PixelSize,
): SamplePlane {
  const { blocksWide, blocksHigh, coefficients, quantization } = component;
  const stride = 8 * blocksWide;
  const samples = new Uint8ClampedArray(8 * blocksHigh * stride);
  const work = new Int32Array(64);
  for (let block = 0; block < blocksHigh * blocksWide; block++) {
    const from = coefficients.subarray(64 * block, 64 * block + 64);
    for (let i = 0; i < 64; i++) work[i] = from[i]! * quantization[i]!;
    for (let x = 0; x < 8; x++) transform(work, x, 8, PASS_1);
    for (let y = 0; y < 8; y++) transform(work, 8 * y, 1, PASS_2);
    const x = 8 * (block % blocksWide);
    const y = 8 * Math.floor(block / blocksWide);
    for (let i = 0; i < 64; i++) {
      samples[(y + (i >> 3)) * stride + x + (i & 7)] = work[i]! + 128;
    }
  }
  return { height, width, stride, samples };
}

/** Bits that the first pass removes: constants have 13, of which it keeps 2. */
const PASS_1 = 13 - 2;
const PASS_2 = 13 + 2 + 3;

/**
 * Transforms eight values: the algorithm of Loeffler, Ligtenberg and Moschytz
 * with constants times 2 ** 13.
 *
 * @param at Index of the first value.
 * @param step Distance from one to the next.
 * @param shift Number of bits that are removed, rounded.
 */
function transform(
  values: Int32Array,
  at: number,
  step: number,
  shift: number,
): void {
  const v = (i: number) => values[at + i * step]!;
  const even1 = (v(2) + v(6)) * 4433;
  const even2 = even1 - v(6) * 15137;
  const even3 = even1 + v(2) * 6270;
  const sum = (v(0) + v(4)) * 8192;
  const difference = (v(0) - v(4)) * 8192;
  const a0 = sum + even3;
  const a3 = sum - even3;
  const a1 = difference + even2;
  const a2 = difference - even2;
  const z1 = (v(7) + v(1)) * -7373;
  const z2 = (v(5) + v(3)) * -20995;
  const z5 = (v(7) + v(3) + v(5) + v(1)) * 9633;
  const z3 = (v(7) + v(3)) * -16069 + z5;
  const z4 = (v(5) + v(1)) * -3196 + z5;
  const b0 = v(7) * 2446 + z1 + z3;
  const b1 = v(5) * 16819 + z2 + z4;
  const b2 = v(3) * 25172 + z2 + z3;
  const b3 = v(1) * 12299 + z1 + z4;
  const round = 1 << (shift - 1);
  const set = (i: number, value: number) => {
    values[at + i * step] = (value + round) >> shift;
  };
  set(0, a0 + b3);
  set(7, a0 - b3);
  set(1, a1 + b2);
  set(6, a1 - b2);
  set(2, a2 + b1);
  set(5, a2 - b1);
  set(3, a3 + b0);
  set(4, a3 - b0);
}

/**
 * Returns the samples of a plane at the size of the picture.
 *
 * @param across Width of a sample, in pixels.
 * @param down Height of a sample, in pixels.
 */
export function upsample(
  plane: SamplePlane,
  across: number,
  down: number,
): SamplePlane {
  if (across === 1 && down === 1) return plane;
  const smooth = across === 2 && plane.width > 2;
  if (smooth && down === 1) return smoothAcross(plane);
  if (smooth && down === 2) return smoothBoth(plane);
  if (across === 1 && down === 2) return smoothDown(plane);
  return repeated(plane, across, down);
}

function larger(
  { height, width }: PixelSize,
  across: number,
  down: number,
): SamplePlane {
  const stride = across * width;
  const samples = new Uint8ClampedArray(down * height * stride);
  return { height: down * height, width: stride, stride, samples };
}

function repeated(
  plane: SamplePlane,
  across: number,
  down: number,
): SamplePlane {
  const out = larger(plane, across, down);
  for (let y = 0; y < out.height; y++) {
    const row = Math.floor(y / down) * plane.stride;
    for (let x = 0; x < out.width; x++) {
      out.samples[y * out.stride + x] = plane
        .samples[row + Math.floor(x / across)]!;
    }
  }
  return out;
}

/**
 * Upsamples horizontally: weighs the nearer sample by 3/4, the other by 1/4;
 * rounds left pixels down, right ones up.
 */
function smoothAcross(plane: SamplePlane): SamplePlane {
  const out = larger(plane, 2, 1);
  for (let y = 0; y < plane.height; y++) {
    const row = plane.samples.subarray(y * plane.stride);
    for (let x = 0; x < plane.width; x++) {
      const near = row[x]!;
      const left = x === 0 ? near : row[x - 1]!;
      const right = x === plane.width - 1 ? near : row[x + 1]!;
      const at = y * out.stride + 2 * x;
      out.samples[at] = (3 * near + left + 1) >> 2;
      out.samples[at + 1] = (3 * near + right + 2) >> 2;
    }
  }
  return out;
}

/** Upsamples vertically by the same weights. */
function smoothDown(plane: SamplePlane): SamplePlane {
  const out = larger(plane, 1, 2);
  for (let y = 0; y < out.height; y++) {
    const [near, far] = nearAndFar(plane, y);
    for (let x = 0; x < plane.width; x++) {
      const sum = 3 * near[x]! + far[x]! + 1 + (y & 1);
      out.samples[y * out.stride + x] = sum >> 2;
    }
  }
  return out;
}

/** Upsamples in both directions, rounded once. */
function smoothBoth(plane: SamplePlane): SamplePlane {
  const out = larger(plane, 2, 2);
  const last = plane.width - 1;
  for (let y = 0; y < out.height; y++) {
    const [near, far] = nearAndFar(plane, y);
    const sum = (x: number) => 3 * near[x]! + far[x]!;
    for (let x = 0; x <= last; x++) {
      const at = y * out.stride + 2 * x;
      const left = x === 0 ? sum(x) : sum(x - 1);
      const right = x === last ? sum(x) : sum(x + 1);
      out.samples[at] = (3 * sum(x) + left + 8) >> 4;
      out.samples[at + 1] = (3 * sum(x) + right + 7) >> 4;
    }
  }
  return out;
}

/**
 * Returns the nearest and the second nearest row of samples of an upsampled
 * row.
 */
function nearAndFar(
  { samples, stride, height }: SamplePlane,
  y: number,
): [Uint8ClampedArray, Uint8ClampedArray] {
  const near = y >> 1;
  const far = Math.min(height - 1, Math.max(0, near + (y & 1 ? 1 : -1)));
  return [samples.subarray(near * stride), samples.subarray(far * stride)];
}
