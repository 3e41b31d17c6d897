/**
 * The grouped-query attention over a KV cache that is updated in place, in
 * four arrangements of rows.
 *
 * ```text
 * step    [B, S, ·]   many rows of one token, or one row of many
 * two     [N, ·]      rows of one token, some of which have a second
 * multi   [R, S, ·]   a few rows of several tokens each, one node per row
 * prompt  [1, S, ·]   one row of many over an int8 cache, which is not written
 * ```
 *
 * With a past, ONNX Runtime's operator supports either many rows of one token
 * or one row of many tokens. So two-token steps have two consecutive nodes, and
 * multi-token steps one node per row.
 *
 * Shapes: see `decoder.ts`; C rows of which some have a second token.
 *
 * @module
 */

import { promptAttention } from "./prompt_attention.ts";
import { type CacheScales, scaledAttention } from "./cache_scales.ts";
import {
  type Attention,
  CachedAttention,
  declareLengths,
  rotaryTables,
} from "./cached_attention.ts";
import type { LanguageConfig } from "./config/language_config.ts";
import type { Dtype } from "./graph/dtype.ts";
import type { Graph, Value } from "./graph/graph.ts";
import type { RotaryAngles } from "./rotary.ts";

/** The arrangement of rows and tokens. */
export type Arrangement =
  | { readonly type: "step" }
  | { readonly type: "two_token" }
  | { readonly type: "prompt" }
  | {
    readonly type: "multi_token";
    /** Number of rows, R. */
    readonly rows: number;
    /** True if tokens have given positions and an attention bias. */
    readonly explicitPositions: boolean;
  };

/** The options that all layers share. */
export interface AttentionOptions {
  /** Arrangement of rows and tokens. */
  readonly arrangement: Arrangement;
  /** Number of positions of the KV cache, T. */
  readonly positions: number;
  /** Element type of the KV cache. */
  readonly cacheDtype: Dtype;
  /** Rotary angles of those positions; computed by default. */
  readonly angles?: RotaryAngles | undefined;
  /** Scales of an int8 cache; undefined for other types. */
  readonly cacheScales?: CacheScales | undefined;
}

/**
 * Declares the inputs of an arrangement; returns the function that adds
 * attention.
 *
 * @throws {RangeError} If the cache is int8 and its scales are missing or not
 * those of this model.
 */
export function attention(
  g: Graph,
  config: LanguageConfig,
  options: AttentionOptions,
): Attention {
  const { cacheDtype, cacheScales = [] } = options;
  const attend = arrangedAttention(g, config, options);
  return cacheDtype === "int8"
    ? scaledAttention(g, config, cacheScales, attend)
    : attend;
}

function arrangedAttention(
  g: Graph,
  config: LanguageConfig,
  options: AttentionOptions,
): Attention {
  const tables = rotaryTables(g, config, options);
  const { arrangement } = options;
  if (arrangement.type === "prompt") return promptAttention(g, config, tables);
  const node = new CachedAttention(g, config, options.cacheDtype, tables);
  switch (arrangement.type) {
    case "step":
      return stepAttention(g, node);
    case "two_token":
      return twoTokenAttention(g, node);
    case "multi_token":
      return multiTokenAttention(
        g,
        node,
        arrangement.rows,
        arrangement.explicitPositions,
      );
  }
}

/** Adds the inputs `seqlens_k` `[B]` and `total_sequence_length` `[]`. */
function stepAttention(g: Graph, node: CachedAttention): Attention {
  const lengths = declareLengths(g);
  return (projections, layer) => node.apply(projections, lengths, layer);
}

/**
 * Adds the inputs of two-token steps. Tokens are packed, `[N, ·]`: a first one
 * for some rows, then a second one for some of them. `first_index` `[B]` is the
 * first token of each of B adjacent rows, `first_kept` `[N₁]` the rows whose
 * results are used (a row without a token has an arbitrary one, whose write is
 * never read); `second_…` are the same for `[C]` rows and `[N₂]` results.
 */
function twoTokenAttention(g: Graph, node: CachedAttention): Attention {
  const turns = ["first", "second"].map((turn) => ({
    turn,
    index: g.input(`${turn}_index`, "int64", [`${turn}_B`]),
    kept: g.input(`${turn}_kept`, "int64", [`${turn}_N`]),
    lengths: declareLengths(g, turn),
  }));
  const one = g.integers(1);
  return (projections, layer) => {
    let before: Value | undefined;
    const results = turns.map(({ turn, index, kept, lengths }) => {
      const take = (all: Value) =>
        g.apply("Unsqueeze", [g.apply("Gather", [all, index]), one]);
      const { query, key, value } = projections;
      const taken = { query: take(query), key: take(key), value: take(value) };
      const { seqlens, total } = lengths;
      const out = node.apply(
        taken,
        { seqlens: after(g, seqlens, before), total },
        layer,
        turn,
      );
      before = out;
      const flat = g.apply("Squeeze", [out, one]);
      return g.apply("Gather", [flat, kept]);
    });
    return g.apply("Concat", results, { axis: 0 });
  };
}

/**
 * Returns `value` with a dependency on `before`: the second node reads what the
 * first one wrote to the cache, which the graph itself does not express.
 */
function after(g: Graph, value: Value, before: Value | undefined): Value {
  if (before === undefined) return value;
  const nothing = g.apply("Slice", [
    g.apply("Shape", [before]),
    g.integers(0),
    g.integers(0),
  ]);
  return g.apply("Concat", [value, g.cast(nothing, "int32")], { axis: 0 });
}

/**
 * Adds the inputs of each row: `seqlens_k.{row}` `[1]`,
 * `total_sequence_length.{row}` `[]`; if `explicitPositions`,
 * `position_ids.{row}` int64 `[1, S]` and `bias.{row}` `[1, 1, S, total]`,
 * added to the scores of a token.
 */
function multiTokenAttention(
  g: Graph,
  node: CachedAttention,
  count: number,
  explicitPositions: boolean,
): Attention {
  const rows = Array.from({ length: count }, (_, row) => ({
    lengths: declareLengths(g, String(row)),
    positionIds: explicitPositions
      ? {
        positions: g.input(`position_ids.${row}`, "int64", [1, "S"]),
        bias: g.input(`bias.${row}`, node.operandDtype, [1, 1, "S", `t${row}`]),
      }
      : undefined,
  }));
  return (projections, layer) => {
    const split = (all: Value) =>
      count === 1
        ? [all]
        : g.applyMany("Split", [all], count, { axis: 0, num_outputs: count });
    const [queries, keys, values] = [
      split(projections.query),
      split(projections.key),
      split(projections.value),
    ];
    const results = rows.map(({ lengths, positionIds }, row) => {
      const taken = {
        query: queries[row]!,
        key: keys[row]!,
        value: values[row]!,
      };
      return node.apply(taken, lengths, layer, String(row), positionIds);
    });
    return count === 1 ? results[0]! : g.apply("Concat", results, { axis: 0 });
  };
}
