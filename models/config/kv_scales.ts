/**
 * The scales of an int8 KV cache as a checkpoint stores them, in
 * `kv_cache_scales.json`: `{"key": number[][], "value": number[][]}`, a list of
 * `[H · D]` for each layer.
 *
 * The file is this project's addition to a checkpoint.
 *
 * @module
 */

import * as v from "valibot";
import type { CacheScales } from "../cache_scales.ts";
import { parseFields, Positive } from "./fields.ts";
import type { LanguageConfig } from "./language_config.ts";

/**
 * Parses the scales of a model of `config`.
 *
 * @throws {SyntaxError} If a scale is not positive, or the lists have other
 * lengths.
 */
export function parseKvScales(
  json: unknown,
  { layers, keyValueHeads, headSize }: LanguageConfig,
): CacheScales {
  const channels = keyValueHeads * headSize;
  const layer = v.pipe(
    v.array(Positive),
    v.length(channels, `expected ${channels} scales in each layer`),
  );
  const all = v.pipe(
    v.array(layer),
    v.length(layers, `expected scales of ${layers} layers`),
  );
  const { key, value } = parseFields(v.object({ key: all, value: all }), json);
  return key.map((scales, i) => ({
    key: Float32Array.from(scales),
    value: Float32Array.from(value[i]!),
  }));
}

/** Returns the JSON of scales, which `parseKvScales` reads. */
export function kvScalesJson(scales: CacheScales): string {
  return JSON.stringify({
    key: scales.map(({ key }) => [...key]),
    value: scales.map(({ value }) => [...value]),
  });
}
