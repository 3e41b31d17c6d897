/**
 * The scales of an int8 KV cache for random weights and stand-ins.
 *
 * @module
 */

import type { CacheScales } from "../../models/cache_scales.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";

/** The scale of keys and values within ±6. */
const SCALE = 0.05;

/** Returns the same scale for every channel. */
export function evenScales(
  { layers, keyValueHeads, headSize }: LanguageConfig,
): CacheScales {
  const scales = new Float32Array(keyValueHeads * headSize).fill(SCALE);
  return Array.from({ length: layers }, () => ({ key: scales, value: scales }));
}
