/**
 * The quantization of a matrix's rows into codes and scales.
 *
 * ```text
 * block of a row ─▶ scale s, codes q: least Σ (w - q·s)²
 * stored         q + 2^(bits - 1), the first of two codes in the low half
 * ```
 *
 * The weight of greatest magnitude becomes the lowest code, which has no
 * positive counterpart; so a scale may be negative. For codes of 4 bits, where
 * plain rounding has the greatest error, several ranges are tried, each with
 * its least-squares scale.
 *
 * @module
 */

import type { CodeBits } from "../../models/graph/weights.ts";

/** Options of {@linkcode quantizeRows}. */
export interface BlockOptions {
  /** Bits of a code. */
  readonly bits: CodeBits;
  /** Number of codes that share a scale; divides the number of values. */
  readonly blockSize: number;
}

/** Codes and scales. */
export interface QuantizedBlocks {
  /** Bytes of the codes. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** Scales, one for each block. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Ranges that are tried, as multiples of the lowest code. */
const RANGES: Readonly<Record<CodeBits, readonly number[]>> = {
  4: Array.from({ length: 15 }, (_, i) => 0.82 + 0.03 * i),
  8: [1],
};

/**
 * A number that, added and subtracted, rounds a double to the nearest integer.
 */
const ROUNDER = 1.5 * 2 ** 52;

/**
 * Quantizes blocks that follow one another.
 *
 * @throws {RangeError} If a value is not finite.
 */
export function quantizeRows(
  values: Float32Array,
  { bits, blockSize }: BlockOptions,
): QuantizedBlocks {
  const blocks = values.length / blockSize;
  const codes = new Uint8Array(values.length * bits / 8);
  const scales = new Float32Array(blocks);
  const lowest = -(2 ** (bits - 1));
  const bytesPerBlock = blockSize * bits / 8;
  for (let block = 0; block < blocks; block++) {
    const start = block * blockSize;
    scales[block] = bestScale(values, start, blockSize, bits);
    // Codes are computed with the scale as it is stored, rounded.
    const stored = scales[block]! === 0 ? 0 : 1 / scales[block]!;
    const at = block * bytesPerBlock;
    for (let i = 0; i < blockSize; i++) {
      const code = codeOf(values[start + i]! * stored, lowest) - lowest;
      if (bits === 8) codes[at + i] = code;
      else codes[at + (i >> 1)]! |= i & 1 ? code << 4 : code;
    }
  }
  return { codes, scales };
}

/**
 * Returns the least-squares scale of the range with the least error; 0 if all
 * values are 0.
 */
function bestScale(
  values: Float32Array,
  start: number,
  length: number,
  bits: CodeBits,
): number {
  const extreme = extremeOf(values, start, length);
  if (extreme === 0) return 0;
  const lowest = -(2 ** (bits - 1));
  let best = 0;
  let greatest = 0;
  for (const range of RANGES[bits]) {
    const inverse = lowest * range / extreme;
    let dot = 0;
    let square = 0;
    for (let i = start; i < start + length; i++) {
      const code = codeOf(values[i]! * inverse, lowest);
      dot += code * values[i]!;
      square += code * code;
    }
    // With the least-squares scale, dot / square, the error is Σ w² - dot² /
    // square. The extreme has a code that is not zero.
    const gain = dot * dot / square;
    if (gain > greatest) {
      greatest = gain;
      best = dot / square;
    }
  }
  return best;
}

/** Returns the value of greatest magnitude. */
function extremeOf(
  values: Float32Array,
  start: number,
  length: number,
): number {
  let extreme = 0;
  let magnitude = 0;
  for (let i = start; i < start + length; i++) {
    const value = values[i]!;
    const here = Math.abs(value);
    if (!(here < Infinity)) {
      throw new RangeError(`Cannot quantize value ${value}: it is not finite`);
    }
    if (here > magnitude) {
      magnitude = here;
      extreme = value;
    }
  }
  return extreme;
}

/** Returns the nearest code. */
function codeOf(scaled: number, lowest: number): number {
  const code = scaled + ROUNDER - ROUNDER;
  return code < lowest ? lowest : code > -1 - lowest ? -1 - lowest : code;
}
