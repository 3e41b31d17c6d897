/**
 * The grouped-query attention over a KV cache that is updated in place, in
 * three arrangements of rows.
 *
 * ```text
 * step    [B, S, ·]   many rows of one token, or one row of many
 * two     [N, ·]      rows of one token, some of which have a second
 * multi   [R, S, ·]   a few rows of several tokens each, one node per row
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

import type { LanguageConfig } from "./config/language_config.ts";
import type { Dtype } from "./graph/dtype.ts";
import type { Graph, Value } from "./graph/graph.ts";
import { type RotaryAngles, rotaryAngles } from "./rotary.ts";

/** The arrangement of rows and tokens. */
export type Arrangement =
  | { readonly type: "step" }
  | { readonly type: "two_token" }
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
}

/** The projections of one layer. */
export interface Projections {
  /** Queries, `[…, N · D]`. */
  readonly query: Value;
  /** Keys, `[…, H · D]`. */
  readonly key: Value;
  /** Values, `[…, H · D]`. */
  readonly value: Value;
}

/** A function that adds the attention of one layer; returns `[…, N · D]`. */
export type Attention = (projections: Projections, layer: number) => Value;

/**
 * Declares the inputs of an arrangement; returns the function that adds
 * attention.
 */
export function attention(
  g: Graph,
  config: LanguageConfig,
  options: AttentionOptions,
): Attention {
  const tables = rotaryTables(g, config, options);
  const { arrangement } = options;
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

/**
 * Returns the names of the cache's inputs and outputs of a layer; with `row`,
 * of one row of a multi-token step.
 */
export function cacheNames(
  layer: number,
  part: "key" | "value",
  row?: string | number,
): { past: string; present: string } {
  const suffix = row === undefined ? "" : `.${row}`;
  return {
    past: `past_key_values.${layer}.${part}${suffix}`,
    present: `present.${layer}.${part}${suffix}`,
  };
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
        bias: g.input(`bias.${row}`, node.cacheDtype, [1, 1, "S", `t${row}`]),
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

/** The numbers of tokens of rows. */
interface Lengths {
  /** Number of tokens of each row after this run, minus one: int32 `[B]`. */
  readonly seqlens: Value;
  /** The maximum number of tokens of any row after this run: int32 `[]`. */
  readonly total: Value;
}

/** The positions of a row's tokens, and their attention bias. */
interface Positions {
  readonly positions: Value;
  readonly bias: Value;
}

function declareLengths(g: Graph, row?: string): Lengths {
  const suffix = row === undefined ? "" : `.${row}`;
  return {
    seqlens: g.input(`seqlens_k${suffix}`, "int32", [`B${suffix}`]),
    total: g.input(`total_sequence_length${suffix}`, "int32", []),
  };
}

/** Adds the attention operator with its cache. */
class CachedAttention {
  readonly #g: Graph;
  readonly #config: LanguageConfig;
  readonly #tables: RotaryTables;
  /** Element type of the KV cache. */
  readonly cacheDtype: Dtype;

  constructor(
    g: Graph,
    config: LanguageConfig,
    cacheDtype: Dtype,
    tables: RotaryTables,
  ) {
    this.#g = g;
    this.#config = config;
    this.cacheDtype = cacheDtype;
    this.#tables = tables;
  }

  /**
   * Maps `[B, S, ·]` to `[B, S, N · D]` over the cache of `layer` and `row`.
   */
  apply(
    { query, key, value }: Projections,
    { seqlens, total }: Lengths,
    layer: number,
    row?: string,
    positionIds?: Positions,
  ): Value {
    const g = this.#g;
    const { heads, keyValueHeads: H, headSize: D } = this.#config;
    const names = {
      key: cacheNames(layer, "key", row),
      value: cacheNames(layer, "value", row),
    };
    const shape = [row === undefined ? "B" : `B.${row}`, H, "T", D];
    const cache = (part: "key" | "value") =>
      g.input(names[part].past, this.cacheDtype, shape);
    const inputs = [
      this.#cached(query),
      this.#cached(key),
      this.#cached(value),
      cache("key"),
      cache("value"),
      seqlens,
      total,
      this.#tables.cos,
      this.#tables.sin,
    ];
    if (positionIds !== undefined) {
      inputs.push(positionIds.positions, positionIds.bias);
    }
    const [out] = g.applyNamed(
      "GroupQueryAttention",
      inputs,
      [
        `attention.${layer}${row === undefined ? "" : `.${row}`}`,
        names.key.present,
        names.value.present,
      ],
      {
        num_heads: heads,
        kv_num_heads: H,
        do_rotary: 1,
        rotary_interleaved: 0,
      },
    );
    for (const { present } of [names.key, names.value]) {
      g.declareOutput(present, this.cacheDtype, shape);
    }
    return this.cacheDtype === g.computeDtype
      ? out!
      : g.cast(out!, g.computeDtype);
  }

  #cached(value: Value): Value {
    return this.cacheDtype === this.#g.computeDtype
      ? value
      : this.#g.cast(value, this.cacheDtype);
  }
}

/** The cosines and sines of every position, `[T, D/2]` each. */
interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
}

function rotaryTables(
  g: Graph,
  config: LanguageConfig,
  { positions, cacheDtype, angles }: AttentionOptions,
): RotaryTables {
  const half = config.headSize / 2;
  const { cos, sin } = angles ?? rotaryAngles(config, positions);
  const table = (data: Float32Array<ArrayBuffer>) => {
    const value = g.constant("float32", [positions, half], data);
    return cacheDtype === "float32" ? value : g.cast(value, cacheDtype);
  };
  return { cos: table(cos), sin: table(sin) };
}
