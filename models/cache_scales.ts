/**
 * The scales of an int8 KV cache: a key or value `x` of a channel is stored as
 * `round(x / scale)`.
 *
 * ```text
 * scores    q · k ≈ (q ∘ scale) · codes(k / scale)
 * results   p · v ≈ (p · codes(v / scale)) ∘ scale
 * ```
 *
 * So the operator stores codes with a scale of one, and projections are
 * multiplied around it: scales of every channel cost no more than one for all.
 * Both channels that a rotation mixes have the same scale, which therefore may
 * be applied before the rotation.
 *
 * Shapes: see `decoder.ts`.
 *
 * @module
 */

import type { Attention, Projections } from "./cached_attention.ts";
import type { LanguageConfig } from "./config/language_config.ts";
import type { Graph, Value } from "./graph/graph.ts";

/** The scales of the keys and values of one layer. */
export interface LayerScales {
  /** Scales of keys `[H · D]`, equal for channels i and i + D/2 of a head. */
  readonly key: Float32Array<ArrayBuffer>;
  /** Scales of values `[H · D]`. */
  readonly value: Float32Array<ArrayBuffer>;
}

/** The scales of all layers. */
export type CacheScales = readonly LayerScales[];

/**
 * Returns `attend` over keys and values that are divided by their scales;
 * queries and results are multiplied by them.
 *
 * @throws {RangeError} If the scales are not those of this model.
 */
export function scaledAttention(
  g: Graph,
  config: LanguageConfig,
  scales: CacheScales,
  attend: Attention,
): Attention {
  assertScales(config, scales);
  return ({ query, key, value }, layer) => {
    const { key: keyScale, value: valueScale } = scales[layer]!;
    const times = (x: Value, by: Float32Array<ArrayBuffer>) =>
      g.apply("Mul", [x, g.floats(by, [by.length])]);
    const scaled: Projections = {
      query: times(query, perQuery(config, keyScale)),
      key: times(key, keyScale.map((scale) => 1 / scale)),
      value: times(value, valueScale.map((scale) => 1 / scale)),
    };
    return times(attend(scaled, layer), perQuery(config, valueScale));
  };
}

/** Repeats the scales of each head for the queries of its group, `[N · D]`. */
function perQuery(
  { heads, keyValueHeads, headSize }: LanguageConfig,
  scales: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  const group = heads / keyValueHeads;
  return Float32Array.from({ length: heads * headSize }, (_, i) => {
    const head = Math.floor(i / headSize / group);
    return scales[head * headSize + i % headSize]!;
  });
}

function assertScales(
  { layers, keyValueHeads, headSize }: LanguageConfig,
  scales: CacheScales,
): void {
  const channels = keyValueHeads * headSize;
  const fits = scales.length === layers &&
    scales.every(({ key, value }) =>
      key.length === channels && value.length === channels
    );
  if (fits) return;
  throw new RangeError(
    `Cannot scale the KV cache: expected ${layers} layers of ${channels} scales for keys and for values`,
  );
}
