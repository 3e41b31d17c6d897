/**
 * The conversion between eight-bit pixels and the vision tokenizer's floats.
 *
 * ```text
 * [H, W, 3] 0…255 ─ × 1/255, − mean, / std ─▶ [3, H, W] −1…1
 * [3, H, W] −1…1 ─ × std + mean, × 255, clip, truncate ─▶ [H, W, 3]
 * ```
 *
 * Each step rounds to float32 where NumPy does in the released processor, so
 * that codes are bit-identical.
 *
 * @module
 */

import type { PixelSize, RgbImage } from "../image/image.ts";

/** The normalization in a checkpoint's `preprocessor_config.json`. */
export interface Normalization {
  /** Factor of an eight-bit level: 1/255. */
  readonly rescaleFactor: number;
  /** Means of red, green and blue, `[3]`. */
  readonly mean: readonly number[];
  /** Standard deviations of red, green and blue, `[3]`. */
  readonly std: readonly number[];
}

/** The normalization of the published checkpoints. */
export const EMU3_NORMALIZATION: Normalization = {
  rescaleFactor: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** Returns `image` as floats, `[3, H, W]`. */
export function pixelValues(
  image: RgbImage,
  normalization: Normalization,
): Float32Array<ArrayBuffer> {
  const { height, width, pixels } = image;
  const area = height * width;
  const values = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const table = channelTable(normalization, channel);
    const plane = channel * area;
    for (let i = 0; i < area; i++) {
      values[plane + i] = table[pixels[i * 3 + channel]!]!;
    }
  }
  return values;
}

/**
 * Returns the picture of `values`.
 *
 * Levels are truncated, not rounded, as by the cast in the released processor.
 *
 * @param values Floats `[3, H, W]`, −1…1; others are clipped.
 * @param size Size of the picture.
 */
export function imageFromPixelValues(
  values: Float32Array,
  size: PixelSize,
  normalization: Normalization,
): RgbImage {
  const { height, width } = size;
  const area = height * width;
  if (values.length !== 3 * area) {
    throw new RangeError(
      `Cannot make image: expected 3 × ${height} × ${width} values, not ${values.length}`,
    );
  }
  const pixels = new Uint8ClampedArray(3 * area);
  const levels = Math.fround(1 / normalization.rescaleFactor);
  for (let channel = 0; channel < 3; channel++) {
    const mean = normalization.mean[channel]!;
    const std = normalization.std[channel]!;
    // The processor inverts (x − mean) / std by normalizing with these two.
    const shift = Math.fround(-mean / std);
    const divisor = Math.fround(1 / std);
    const plane = channel * area;
    for (let i = 0; i < area; i++) {
      const raised = Math.fround(values[plane + i]! - shift);
      const unit = Math.fround(raised / divisor);
      pixels[i * 3 + channel] = Math.trunc(Math.fround(unit * levels));
    }
  }
  return { height, width, pixels };
}

/** Returns the value of each level of `channel`, `[256]`. */
function channelTable(
  { rescaleFactor, mean, std }: Normalization,
  channel: number,
): Float32Array {
  const offset = Math.fround(mean[channel]!);
  const divisor = Math.fround(std[channel]!);
  return Float32Array.from({ length: 256 }, (_, level) => {
    const centered = Math.fround(Math.fround(level * rescaleFactor) - offset);
    return centered / divisor;
  });
}

/** Transposes `[t, Z, h, w]` to `[t · h · w, Z]` for t = 1. */
export function channelsLast(
  latent: Float32Array,
  channels: number,
): Float32Array<ArrayBuffer> {
  const area = latent.length / channels;
  const out = new Float32Array(latent.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < area; i++) {
      out[i * channels + channel] = latent[channel * area + i]!;
    }
  }
  return out;
}
