/**
 * Causal attention in tuning, written out: its result, and its gradients.
 *
 * ```text
 * P  = softmax(s · Q Kᵀ + mask)     O  = P V           s = 1 / √D
 * dV = Pᵀ dO                        dP = dO Vᵀ
 * dS = P ⊙ (dP − rowsum(dO ⊙ O))    dQ = s · dS K      dK = s · dSᵀ Q
 * ```
 *
 * Queries are taken in blocks, each against the keys up to its end, so that
 * scores of all pairs never exist at once and half of them are never computed.
 * The queries of a group share keys and values: they are rows of one product,
 * which also sums the gradients over the group.
 *
 * Shapes: S tokens, N query heads, H key-value heads, G = N / H queries of a
 * group, D head size, b queries of a block, T keys up to its end.
 *
 * @module
 */

import type { LanguageConfig } from "../config/language_config.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { casted } from "./matrix.ts";

/** Options of {@linkcode CausalAttention}. */
export interface CausalAttentionOptions {
  /** Number of blocks of queries. */
  readonly blocks: number;
  /** Number of queries of a block; the last one may have fewer. */
  readonly blockLength: number;
}

/** The rows of a group's queries, keys and values. */
export interface Heads {
  /** Queries, `[S, N · D]`. */
  readonly query: Value;
  /** Keys, `[S, H · D]`. */
  readonly key: Value;
  /** Values, `[S, H · D]`. */
  readonly value: Value;
}

/** Adds attention of one layer to a graph. */
export class CausalAttention {
  readonly #g: Graph;
  readonly #config: LanguageConfig;
  readonly #options: CausalAttentionOptions;
  readonly #rotations = new Map<boolean, { cos: Value; sin: Value }>();
  #position: Value | undefined;

  /** Creates attention for the heads of `config`. */
  constructor(
    g: Graph,
    config: LanguageConfig,
    options: CausalAttentionOptions,
  ) {
    this.#g = g;
    this.#config = config;
    this.#options = options;
  }

  /**
   * Returns rows `[S, · D]` turned by their positions; `back` turns them back,
   * which is the gradient.
   *
   * Inputs: `rotary_cos` and `rotary_sin`, float32 `[S, D/2]`.
   */
  rotated(rows: Value, back: boolean): Value {
    const g = this.#g;
    const { cos, sin } = this.#rotation(back);
    this.#position ??= g.integers(0);
    const batch = g.apply("Unsqueeze", [rows, g.integers(0)]);
    const turned = g.apply("RotaryEmbedding", [
      batch,
      this.#position,
      cos,
      sin,
    ], { interleaved: 0 });
    return g.apply("Squeeze", [turned, g.integers(0)]);
  }

  /** Returns O, `[S, N · D]`. */
  forward(heads: Heads): Value {
    const { key, value } = this.#keys(heads);
    const query = this.#grouped(heads.query);
    const blocks = this.#blocks().map((block) => {
      const p = this.#probabilities(query, key, block);
      const v = this.#until(value, block);
      return this.#apart(this.#g.apply("MatMul", [p, v]));
    });
    return this.#ungrouped(this.#joined(blocks));
  }

  /**
   * Returns the gradients of queries, keys and values, before their rotation
   * is turned back.
   *
   * @param attended Result of the forward pass, `[S, N · D]`.
   * @param gradient Gradient of the result, dO.
   */
  backward(heads: Heads, attended: Value, gradient: Value): Heads {
    const g = this.#g;
    const { key, value } = this.#keys(heads);
    const query = this.#grouped(heads.query);
    const delta = this.#rowSums(attended, gradient); // [H, G, S, 1]
    const out = this.#grouped(gradient);
    const parts = this.#blocks().map((block) => {
      const rows = (all: Value, width?: number) =>
        this.#rows(all, block, width);
      const p = this.#probabilities(query, key, block);
      const dO = rows(out);
      const dP = this.#product(dO, this.#until(value, block), "right");
      const dS = g.apply("Mul", [p, g.apply("Sub", [dP, rows(delta, 1)])]);
      const scale = this.#scale;
      const dQ = this.#product(dS, this.#until(key, block), "none", scale);
      const dK = this.#product(dS, rows(query), "left", scale);
      const dV = this.#product(p, dO, "left");
      return {
        query: this.#apart(dQ),
        key: this.#filled(dK, heads.key, block),
        value: this.#filled(dV, heads.key, block),
      };
    });
    const sum = (values: Value[]) =>
      values.length === 1 ? values[0]! : g.apply("Sum", values);
    return {
      query: this.#ungrouped(this.#joined(parts.map(({ query }) => query))),
      key: this.#flat(sum(parts.map(({ key }) => key))),
      value: this.#flat(sum(parts.map(({ value }) => value))),
    };
  }

  get #scale(): number {
    return 1 / Math.sqrt(this.#config.headSize);
  }

  /**
   * Returns `scale · left · right` of stacked matrices, one of them transposed.
   * Not every device has a kernel for that.
   */
  #product(
    left: Value,
    right: Value,
    transposed: "left" | "right" | "none",
    scale = 1,
  ): Value {
    const g = this.#g;
    if (!g.options.transposed) {
      return g.apply("FusedMatMul", [left, right], {
        transA: transposed === "left" ? 1 : 0,
        transB: transposed === "right" ? 1 : 0,
        alpha: { float: scale },
      });
    }
    const turned = (value: Value, turns: boolean) =>
      turns ? g.apply("Transpose", [value], { perm: [0, 2, 1] }) : value;
    const product = g.apply("MatMul", [
      turned(left, transposed === "left"),
      turned(right, transposed === "right"),
    ]);
    return scale === 1
      ? product
      : g.apply("Mul", [product, g.floats(Float32Array.of(scale), [])]);
  }

  #rotation(back: boolean): { cos: Value; sin: Value } {
    let tables = this.#rotations.get(back);
    if (tables === undefined) {
      const g = this.#g;
      if (back) {
        const { cos, sin } = this.#rotation(false);
        tables = { cos, sin: g.apply("Neg", [sin]) };
      } else {
        const shape = ["R", this.#config.headSize / 2];
        const table = (name: string) =>
          casted(g, g.input(name, "float32", shape), "float32");
        tables = { cos: table("rotary_cos"), sin: table("rotary_sin") };
      }
      this.#rotations.set(back, tables);
    }
    return tables;
  }

  /** Returns the bounds of each block; undefined for the last token. */
  #blocks(): Block[] {
    const { blocks, blockLength } = this.#options;
    return Array.from({ length: blocks }, (_, index) => ({
      start: index * blockLength,
      end: index === blocks - 1 ? undefined : (index + 1) * blockLength,
    }));
  }

  /** Returns P of a block, `[H, G · b, T]`. */
  #probabilities(query: Value, key: Value, block: Block): Value {
    const g = this.#g;
    const { keyValueHeads: H, heads } = this.#config;
    const q = this.#rows(query, block);
    const scores = this.#product(
      q,
      this.#until(key, block),
      "right",
      this.#scale,
    ); // [H, G · b, T]
    const mask = this.#mask(key, block);
    const shape = g.apply("Concat", [
      g.integers(H, heads / H),
      g.apply("Shape", [mask]),
    ], { axis: 0 });
    const masked = g.apply("Add", [
      g.apply("Reshape", [scores, shape]),
      mask,
    ]); // [H, G, b, T]
    const p = g.apply("Softmax", [masked], { axis: -1 });
    return g.apply("Reshape", [p, g.apply("Shape", [scores])]);
  }

  /** Returns zero for keys up to a query's position, else −10³⁰, `[b, T]`. */
  #mask(key: Value, { start, end }: Block): Value {
    const g = this.#g;
    const last = end === undefined
      ? g.apply("Squeeze", [
        g.apply("Shape", [key], { start: 1, end: 2 }),
        g.integers(0),
      ])
      : g.scalar(end);
    const one = g.scalar(1);
    const range = (from: number) =>
      g.apply("Range", [g.scalar(from), last, one]);
    const seen = g.apply("LessOrEqual", [
      range(0),
      g.apply("Unsqueeze", [range(start), g.integers(1)]),
    ]);
    const number = (value: number) =>
      g.constant("float32", [], Float32Array.of(value));
    const mask = g.apply("Where", [seen, number(0), number(-1e30)]);
    return casted(g, mask, "float32");
  }

  /**
   * Returns a block's rows of all queries, `[H, G, S, W]` → `[H, G · b, W]`.
   */
  #rows(
    all: Value,
    block: Block,
    width: number = this.#config.headSize,
  ): Value {
    const g = this.#g;
    const rows = this.#options.blocks === 1 ? all : g.apply("Slice", [
      all,
      g.integers(block.start),
      g.integers(block.end ?? LAST),
      g.integers(2),
    ]);
    const shape = g.integers(this.#config.keyValueHeads, -1, width);
    return g.apply("Reshape", [rows, shape]);
  }

  /** Returns the keys or values up to a block's end, `[H, T, D]`. */
  #until(all: Value, { end }: Block): Value {
    const g = this.#g;
    return end === undefined ? all : g.apply("Slice", [
      all,
      g.integers(0),
      g.integers(end),
      g.integers(1),
    ]);
  }

  /** `[H, G · b, D]` → `[H, G, b, D]` */
  #apart(rows: Value): Value {
    const { keyValueHeads: H, heads, headSize: D } = this.#config;
    return this.#g.apply("Reshape", [
      rows,
      this.#g.integers(H, heads / H, -1, D),
    ]);
  }

  #joined(blocks: Value[]): Value {
    return blocks.length === 1
      ? blocks[0]!
      : this.#g.apply("Concat", blocks, { axis: 2 });
  }

  /** Fills the keys after a block's end with zeros, `[H, T, D]` → `[H, S, D]`. */
  #filled(part: Value, rows: Value, { end }: Block): Value {
    if (end === undefined) return part;
    const g = this.#g;
    const { keyValueHeads: H, headSize: D } = this.#config;
    const length = g.apply("Shape", [rows], { start: 0, end: 1 });
    const missing = g.apply("Sub", [length, g.integers(end)]);
    const shape = g.apply("Concat", [g.integers(H), missing, g.integers(D)], {
      axis: 0,
    });
    // Not a Pad, which CUDA lacks in bf16.
    const zero = g.floats(Float32Array.of(0), [1, 1, 1]);
    const zeros = g.apply("Expand", [zero, shape]);
    return g.apply("Concat", [part, zeros], { axis: 1 });
  }

  /** Keys and values as `[H, S, D]`. */
  #keys({ key, value }: Heads): { key: Value; value: Value } {
    const g = this.#g;
    const { keyValueHeads: H, headSize: D } = this.#config;
    const swapped = (rows: Value) =>
      g.apply("Transpose", [
        g.apply("Reshape", [rows, g.integers(-1, H, D)]),
      ], { perm: [1, 0, 2] });
    return { key: swapped(key), value: swapped(value) };
  }

  /** `[S, N · D]` → `[H, G, S, D]` */
  #grouped(rows: Value): Value {
    const g = this.#g;
    const { keyValueHeads: H, heads, headSize: D } = this.#config;
    const apart = g.apply("Reshape", [
      rows,
      g.integers(-1, H, heads / H, D),
    ]);
    return g.apply("Transpose", [apart], { perm: [1, 2, 0, 3] });
  }

  /** `[H, G, S, D]` → `[S, N · D]` */
  #ungrouped(rows: Value): Value {
    const g = this.#g;
    const { heads, headSize } = this.#config;
    const back = g.apply("Transpose", [rows], { perm: [2, 0, 1, 3] });
    return g.apply("Reshape", [back, g.integers(-1, heads * headSize)]);
  }

  /** `[H, S, D]` → `[S, H · D]` */
  #flat(rows: Value): Value {
    const g = this.#g;
    const { keyValueHeads: H, headSize: D } = this.#config;
    const back = g.apply("Transpose", [rows], { perm: [1, 0, 2] });
    return g.apply("Reshape", [back, g.integers(-1, H * D)]);
  }

  /** Returns `rowsum(dO ⊙ O)` of each query, `[H, G, S, 1]`. */
  #rowSums(attended: Value, gradient: Value): Value {
    const g = this.#g;
    const product = g.apply("Mul", [attended, gradient]);
    return g.apply("ReduceSum", [this.#grouped(product), g.integers(-1)], {
      keepdims: 1,
    });
  }
}

/** The bounds of a block of queries. */
interface Block {
  /** Index of the first query. */
  readonly start: number;
  /** Index after the last one; undefined for all that remain. */
  readonly end: number | undefined;
}

/** An end beyond every sequence. */
const LAST = 2 ** 31 - 1;
