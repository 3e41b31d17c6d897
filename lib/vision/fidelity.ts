/**
 * The metrics of reconstruction: PSNR and SSIM of a picture against its
 * original.
 *
 * ```text
 * PSNR = 10 · log10(255² / mean squared error)       all samples together
 * SSIM = mean of (2 μa μb + C1)(2 σab + C2)
 *              / (μa² + μb² + C1)(σa² + σb² + C2)    mean over red, green, blue
 * ```
 *
 * The window of SSIM is Gaussian, 11 × 11 with σ = 1.5; only windows within the
 * picture are used. Source: Wang et al., Image Quality Assessment: From Error
 * Visibility to Structural Similarity, IEEE TIP 13(4), 2004, which is defined
 * for one channel.
 *
 * @module
 */

import type { RgbImage } from "../image/image.ts";

/** The maximum level. */
const PEAK = 255;

/**
 * The side of SSIM's window in pixels, which is the minimum side of a picture.
 */
export const SSIM_WINDOW = 11;

const SIGMA = 1.5;
const C1 = (0.01 * PEAK) ** 2;
const C2 = (0.03 * PEAK) ** 2;

/** Weights of the window along one side; their sum is 1. */
const WEIGHTS: Float64Array = gaussian();

/**
 * Returns the peak signal-to-noise ratio in decibels; infinite for equal
 * pictures.
 *
 * @throws {RangeError} If the sizes differ.
 */
export function psnr(a: RgbImage, b: RgbImage): number {
  requireEqualSizes(a, b);
  let sum = 0;
  for (let i = 0; i < a.pixels.length; i++) {
    sum += (a.pixels[i]! - b.pixels[i]!) ** 2;
  }
  return 10 * Math.log10(PEAK ** 2 * a.pixels.length / sum);
}

/**
 * Returns the structural similarity, −1 to 1; 1 for equal pictures.
 *
 * @throws {RangeError} If the sizes differ, or a side is under
 * {@linkcode SSIM_WINDOW}.
 */
export function ssim(a: RgbImage, b: RgbImage): number {
  requireEqualSizes(a, b);
  const { height, width } = a;
  if (Math.min(height, width) < SSIM_WINDOW) {
    throw new RangeError(
      `Cannot compute SSIM: the picture is ${height} pixels high and ${width} wide; both must be at least ${SSIM_WINDOW}`,
    );
  }
  const channels = [0, 1, 2].map((channel) =>
    channelSimilarity(plane(a, channel), plane(b, channel), width)
  );
  return channels.reduce((sum, value) => sum + value) / channels.length;
}

function channelSimilarity(
  a: Float64Array,
  b: Float64Array,
  width: number,
): number {
  const blurred = (value: (i: number) => number) =>
    blur(Float64Array.from(a, (_, i) => value(i)), width);
  const meanA = blurred((i) => a[i]!);
  const meanB = blurred((i) => b[i]!);
  const squareA = blurred((i) => a[i]! ** 2);
  const squareB = blurred((i) => b[i]! ** 2);
  const product = blurred((i) => a[i]! * b[i]!);
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const [x, y] = [meanA[i]!, meanB[i]!];
    const varianceA = squareA[i]! - x * x;
    const varianceB = squareB[i]! - y * y;
    const covariance = product[i]! - x * y;
    sum += (2 * x * y + C1) * (2 * covariance + C2) /
      ((x * x + y * y + C1) * (varianceA + varianceB + C2));
  }
  return sum / meanA.length;
}

/** Returns the weighted means of all windows, `[H − 10, W − 10]`. */
function blur(values: Float64Array, width: number): Float64Array {
  const height = values.length / width;
  const across = width - SSIM_WINDOW + 1;
  const down = height - SSIM_WINDOW + 1;
  const rows = new Float64Array(height * across);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < across; x++) {
      let sum = 0;
      for (let k = 0; k < SSIM_WINDOW; k++) {
        sum += WEIGHTS[k]! * values[y * width + x + k]!;
      }
      rows[y * across + x] = sum;
    }
  }
  const means = new Float64Array(down * across);
  for (let i = 0; i < means.length; i++) {
    let sum = 0;
    for (let k = 0; k < SSIM_WINDOW; k++) {
      sum += WEIGHTS[k]! * rows[i + k * across]!;
    }
    means[i] = sum;
  }
  return means;
}

function gaussian(): Float64Array {
  const center = (SSIM_WINDOW - 1) / 2;
  const weights = Float64Array.from(
    { length: SSIM_WINDOW },
    (_, k) => Math.exp(-((k - center) ** 2) / (2 * SIGMA ** 2)),
  );
  const sum = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / sum);
}

/** Returns one channel of a picture, `[H, W]`. */
function plane({ pixels }: RgbImage, channel: number): Float64Array {
  return Float64Array.from(
    { length: pixels.length / 3 },
    (_, i) => pixels[i * 3 + channel]!,
  );
}

function requireEqualSizes(a: RgbImage, b: RgbImage): void {
  if (a.height === b.height && a.width === b.width) return;
  throw new RangeError(
    `Cannot compare pictures of ${a.height} × ${a.width} and ${b.height} × ${b.width} pixels: the sizes must be equal`,
  );
}
