/**
 * The rotary position embedding: tables of cosines and sines.
 *
 * @module
 */

import type { LanguageConfig } from "./config/language_config.ts";

/** The tables of an embedding, `[T, D/2]` each. */
export interface RotaryAngles {
  /** Cosines. */
  readonly cos: Float32Array<ArrayBuffer>;
  /** Sines. */
  readonly sin: Float32Array<ArrayBuffer>;
}

/**
 * Returns the tables, rounded to fp32 at the same steps as in the reference:
 * frequencies, then angles, then cosines and sines.
 *
 * @param positions Number of positions, T.
 */
export function rotaryAngles(
  { ropeTheta, headSize }: LanguageConfig,
  positions: number,
): RotaryAngles {
  const half = headSize / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < half; i++) {
    const power = Math.fround(ropeTheta ** Math.fround((2 * i) / headSize));
    const frequency = Math.fround(1 / power);
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * frequency);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
