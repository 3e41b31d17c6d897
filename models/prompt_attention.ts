/**
 * The attention of a prompt over an int8 KV cache, in floats.
 *
 * ```text
 * key, value ─▶ rotated ─▶ codes ─┬─▶ outputs, which the caller appends
 *                                 ▼
 * cache ─▶ its first tokens ─▶ floats ─▶ attention ─▶
 * ```
 *
 * The operator multiplies codes for each query, which suits few tokens; many
 * tokens share the floats. Codes are the same on both ways, and so are results
 * up to rounding.
 *
 * Shapes: see `decoder.ts`; P tokens in the cache.
 *
 * @module
 */

import {
  type Attention,
  cacheNames,
  declareLengths,
  type RotaryTables,
} from "./cached_attention.ts";
import type { LanguageConfig } from "./config/language_config.ts";
import type { Graph, Value } from "./graph/graph.ts";

/** Returns the name of the output with the new codes of a layer. */
export function codesName(layer: number, part: "key" | "value"): string {
  return `codes.${layer}.${part}`;
}

/**
 * Adds the inputs `seqlens_k` `[1]`, `total_sequence_length` `[]` and `start`
 * int64 `[1]`, the number of tokens in the cache; returns the function that adds
 * a layer, which has outputs of codes, `[1, H, S, D]`.
 */
export function promptAttention(
  g: Graph,
  config: LanguageConfig,
  { cos, sin }: RotaryTables,
): Attention {
  const { heads, keyValueHeads: H, headSize: D } = config;
  const lengths = declareLengths(g);
  const start = g.input("start", "int64", [1]);
  const one = g.constant("float32", [], Float32Array.of(1));
  const zero = g.constant("int8", [], new Int8Array(1));
  const rotated = (x: Value, count: number) =>
    g.apply("RotaryEmbedding", [x, start, cos, sin], { num_heads: count });
  const floats = (codes: Value) => g.cast(codes, g.computeDtype);
  /** Returns new keys or values as codes `[1, S, H · D]`. */
  const coded = (x: Value, layer: number, part: "key" | "value") => {
    const codes = g.apply("QuantizeLinear", [x, one, zero]);
    const byToken = g.apply("Reshape", [codes, g.integers(1, -1, H, D)]);
    const byHead = g.apply("Transpose", [byToken], { perm: [0, 2, 1, 3] });
    g.output(codesName(layer, part), byHead, "int8", [1, H, "S", D]);
    return codes;
  };
  /** Returns the held keys or values as floats `[1, H, P, D]`. */
  const past = (layer: number, part: "key" | "value") => {
    const cache = g.input(cacheNames(layer, part).past, "int8", [1, H, "T", D]);
    const slice = [cache, g.integers(0), start, g.integers(2)];
    return floats(g.apply("Slice", slice));
  };
  return ({ query, key, value }, layer) => {
    const inputs = [
      rotated(query, heads),
      floats(coded(rotated(key, H), layer, "key")),
      floats(coded(value, layer, "value")),
      past(layer, "key"),
      past(layer, "value"),
      lengths.seqlens,
      lengths.total,
    ];
    const results = g.applyMany("GroupQueryAttention", inputs, 3, {
      num_heads: heads,
      kv_num_heads: H,
    });
    return results[0]!;
  };
}
