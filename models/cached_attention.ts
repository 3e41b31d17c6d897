/**
 * The attention operator of one layer and row, with its KV cache and the
 * rotary position embedding.
 *
 * Shapes: see `decoder.ts`.
 *
 * @module
 */

import type { LanguageConfig } from "./config/language_config.ts";
import type { Dtype } from "./graph/dtype.ts";
import type { Graph, Value } from "./graph/graph.ts";
import { type RotaryAngles, rotaryAngles } from "./rotary.ts";

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

/** The numbers of tokens of rows. */
export interface Lengths {
  /** Number of tokens of each row after this run, minus one: int32 `[B]`. */
  readonly seqlens: Value;
  /** The maximum number of tokens of any row after this run: int32 `[]`. */
  readonly total: Value;
}

/** The positions of a row's tokens, and their attention bias. */
export interface Positions {
  /** Position ids, int64 `[1, S]`. */
  readonly positions: Value;
  /** Bias of the scores, `[1, 1, S, total]`. */
  readonly bias: Value;
}

/**
 * Adds the inputs `seqlens_k` `[B]` and `total_sequence_length` `[]`; with
 * `row`, those of one row or turn.
 */
export function declareLengths(g: Graph, row?: string): Lengths {
  const suffix = row === undefined ? "" : `.${row}`;
  return {
    seqlens: g.input(`seqlens_k${suffix}`, "int32", [`B${suffix}`]),
    total: g.input(`total_sequence_length${suffix}`, "int32", []),
  };
}

/** The operator's attributes for codes of 8 bits. */
const INT8_CACHE = {
  k_quant_type: "PER_TENSOR",
  v_quant_type: "PER_TENSOR",
  kv_cache_bit_width: 8,
} as const;

/** Adds the attention operator with its cache. */
export class CachedAttention {
  readonly #g: Graph;
  readonly #config: LanguageConfig;
  readonly #tables: RotaryTables;
  readonly #cacheDtype: Dtype;
  /** Scale of an int8 cache, whose channels are scaled before; else undefined. */
  readonly #scale: Value | undefined;
  /** Element type of queries, new keys and values, and biases. */
  readonly operandDtype: Dtype;

  /** Creates the operator; no node is added yet. */
  constructor(
    g: Graph,
    config: LanguageConfig,
    cacheDtype: Dtype,
    tables: RotaryTables,
  ) {
    this.#g = g;
    this.#config = config;
    this.#cacheDtype = cacheDtype;
    const coded = cacheDtype === "int8";
    this.operandDtype = coded ? g.computeDtype : cacheDtype;
    this.#scale = coded
      ? g.constant("float32", [1], Float32Array.of(1))
      : undefined;
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
      g.input(names[part].past, this.#cacheDtype, shape);
    const inputs: (Value | undefined)[] = [
      this.#operand(query),
      this.#operand(key),
      this.#operand(value),
      cache("key"),
      cache("value"),
      seqlens,
      total,
      this.#tables.cos,
      this.#tables.sin,
    ];
    if (positionIds !== undefined || this.#scale !== undefined) {
      inputs.push(positionIds?.positions, positionIds?.bias);
    }
    if (this.#scale !== undefined) {
      inputs.push(undefined, this.#scale, this.#scale);
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
        ...(this.#scale && INT8_CACHE),
      },
    );
    for (const { present } of [names.key, names.value]) {
      g.declareOutput(present, this.#cacheDtype, shape);
    }
    return this.operandDtype === g.computeDtype
      ? out!
      : g.cast(out!, g.computeDtype);
  }

  #operand(value: Value): Value {
    return this.operandDtype === this.#g.computeDtype
      ? value
      : this.#g.cast(value, this.operandDtype);
  }
}

/** The cosines and sines of every position, `[T, D/2]` each. */
export interface RotaryTables {
  /** Cosines. */
  readonly cos: Value;
  /** Sines. */
  readonly sin: Value;
}

/** Adds the tables, in the type that the operator computes in. */
export function rotaryTables(
  g: Graph,
  config: LanguageConfig,
  { positions, cacheDtype, angles }: {
    readonly positions: number;
    readonly cacheDtype: Dtype;
    readonly angles?: RotaryAngles | undefined;
  },
): RotaryTables {
  const half = config.headSize / 2;
  const { cos, sin } = angles ?? rotaryAngles(config, positions);
  const dtype = cacheDtype === "int8" ? g.computeDtype : cacheDtype;
  const table = (data: Float32Array<ArrayBuffer>) => {
    const value = g.constant("float32", [positions, half], data);
    return dtype === "float32" ? value : g.cast(value, dtype);
  };
  return { cos: table(cos), sin: table(sin) };
}
