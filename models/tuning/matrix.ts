/**
 * The matrix of a linear layer in tuning: its product, and the gradients of
 * its input and of what is trained.
 *
 * ```text
 * y  = x · Wᵀ + s · (x · Aᵀ) · Bᵀ         s = alpha / rank
 * dx = dy · W + s · (dy · B) · A
 * dW = dyᵀ · x     dA = s · (dy · B)ᵀ · x     dB = s · dyᵀ · (x · Aᵀ)
 * ```
 *
 * The matrix, and an adapter's A and B, are inputs of the graph, so that one
 * graph serves all layers. Gradients are added to what they hold already, in
 * place: an input and an output of the same memory.
 *
 * Shapes: S tokens, K inputs, N outputs, r rank.
 *
 * @module
 */

import type { Dtype } from "../graph/dtype.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { CodeBits } from "../graph/weights.ts";
import { dequantized } from "./dequantize.ts";

/** The form in which a matrix is bound. */
export type MatrixForm =
  | {
    readonly kind: "floats";
    /** Type of the elements; cast to the computing type. */
    readonly dtype: Dtype;
  }
  | {
    readonly kind: "codes";
    /** Bits of a code. */
    readonly bits: CodeBits;
    /** Number of codes that share a scale. */
    readonly blockSize: number;
    /** Type of the scales. */
    readonly scaleDtype: Dtype;
  };

/** The trained part of a matrix. */
export type MatrixTraining =
  | { readonly kind: "frozen" }
  | { readonly kind: "full" }
  | {
    readonly kind: "lora";
    /** Rank of the adapter, r. */
    readonly rank: number;
    /** Factor of the adapter's product, s. */
    readonly scale: number;
  };

/** A description of a matrix. */
export interface MatrixOptions {
  /** Sides, `[N, K]`. */
  readonly shape: readonly [number, number];
  /** Form in which it is bound. */
  readonly form: MatrixForm;
  /** Trained part. */
  readonly training: MatrixTraining;
}

/** Returns the name of the output that holds an input's new value. */
export function updatedName(input: string): string {
  return `${input}.new`;
}

/** Returns the name of the input that holds the gradient of a parameter. */
export function gradientName(parameter: string): string {
  return `${parameter}.grad`;
}

/** Adds products of one matrix to a graph, whose inputs it declares. */
export class TunedMatrix {
  readonly #g: Graph;
  readonly #name: string;
  readonly #options: MatrixOptions;
  readonly #known = new Map<string, Value>();

  /**
   * Creates the matrix.
   *
   * @param name Prefix of its inputs, such as `self_attn.q_proj`.
   */
  constructor(g: Graph, name: string, options: MatrixOptions) {
    this.#g = g;
    this.#name = name;
    this.#options = options;
  }

  /** Name of the matrix. */
  get name(): string {
    return this.#name;
  }

  /** Rank of the adapter; undefined without one. */
  get rank(): number | undefined {
    const { training } = this.#options;
    return training.kind === "lora" ? training.rank : undefined;
  }

  /** Returns `x · Aᵀ`, `[S, r]`; only with an adapter. */
  reduced(x: Value): Value {
    return this.#product(x, this.#a(), { transB: 1 });
  }

  /**
   * Returns `y`, `[S, N]`.
   *
   * @param x Input, `[S, K]`.
   * @param reduced `x · Aᵀ`, with an adapter.
   * @param added Value that is added to it, `[S, N]`.
   */
  forward(x: Value, reduced?: Value, added?: Value): Value {
    const y = this.#product(x, this.#weight(), { transB: 1 }, added);
    if (reduced === undefined) return y;
    return this.#product(reduced, this.#b(), {
      transB: 1,
      alpha: { float: this.#scale },
    }, y);
  }

  /**
   * Returns `dx`, `[S, K]`, and adds the gradients of what is trained to their
   * outputs.
   *
   * @param x Input of the forward pass; undefined if nothing is trained.
   * @param dy Gradient of the result, `[S, N]`.
   * @param reduced `x · Aᵀ`, with an adapter.
   * @param added Gradient that is added to `dx`.
   */
  backward(
    x: () => Value,
    dy: Value,
    reduced: (() => Value) | undefined,
    added?: Value,
  ): Value {
    const { shape, training } = this.#options;
    const dx = this.#product(dy, this.#weight(), {}, added);
    if (training.kind === "frozen") return dx;
    if (training.kind === "full") {
      accumulate(this.#g, `${this.#name}.weight`, shape, dy, x());
      return dx;
    }
    const [N, K] = shape;
    const { rank } = training;
    const scale = { alpha: { float: training.scale } };
    const through = this.#product(dy, this.#b(), scale); // [S, r]
    const { a, b } = adapterNames(this.#name);
    accumulate(this.#g, a, [rank, K], through, x());
    accumulate(this.#g, b, [N, rank], dy, reduced!(), training.scale);
    return this.#product(through, this.#a(), {}, dx);
  }

  get #scale(): number {
    const { training } = this.#options;
    return training.kind === "lora" ? training.scale : 0;
  }

  #weight(): Value {
    return this.#once("weight", () => {
      const { shape, form, training } = this.#options;
      if (training.kind === "full") {
        return parameter(this.#g, `${this.#name}.weight`, shape);
      }
      return form.kind === "codes"
        ? dequantized(this.#g, this.#name, shape, form)
        : casted(
          this.#g,
          this.#g.input(`${this.#name}.weight`, form.dtype, shape),
          form.dtype,
        );
    });
  }

  #a(): Value {
    const [, K] = this.#options.shape;
    const { a } = adapterNames(this.#name);
    return this.#once("a", () => parameter(this.#g, a, [this.rank!, K]));
  }

  #b(): Value {
    const [N] = this.#options.shape;
    const { b } = adapterNames(this.#name);
    return this.#once("b", () => parameter(this.#g, b, [N, this.rank!]));
  }

  #product(
    x: Value,
    y: Value,
    attributes: Readonly<Record<string, number | { readonly float: number }>>,
    added?: Value,
  ): Value {
    return this.#g.apply(
      "Gemm",
      added === undefined ? [x, y] : [x, y, added],
      attributes,
    );
  }

  #once(name: string, make: () => Value): Value {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const value = make();
    this.#known.set(name, value);
    return value;
  }
}

/** Returns the names of a matrix's adapter, as PEFT spells them. */
export function adapterNames(matrix: string): { a: string; b: string } {
  return { a: `${matrix}.lora_A.weight`, b: `${matrix}.lora_B.weight` };
}

/** Declares a trained parameter, float32, and casts it for computing. */
export function parameter(
  g: Graph,
  name: string,
  shape: readonly number[],
): Value {
  return casted(g, g.input(name, "float32", shape), "float32");
}

/** Casts a value of type `from` to the computing type. */
export function casted(g: Graph, value: Value, from: Dtype): Value {
  return from === g.computeDtype ? value : g.cast(value, g.computeDtype);
}

/**
 * Adds `factor · leftᵀ · right` to the gradient of a parameter, float32 and in
 * place.
 */
function accumulate(
  g: Graph,
  name: string,
  shape: readonly number[],
  left: Value,
  right: Value,
  factor = 1,
): void {
  const gradient = gradientName(name);
  const held = g.input(gradient, "float32", shape);
  const attributes = { transA: 1, alpha: { float: factor } };
  if (g.computeDtype === "float32") {
    g.applyNamed("Gemm", [left, right, held], [updatedName(gradient)], {
      ...attributes,
    });
  } else {
    const product = g.cast(
      g.apply("Gemm", [left, right], attributes),
      "float32",
    );
    g.applyNamed("Add", [held, product], [updatedName(gradient)]);
  }
  g.declareOutput(updatedName(gradient), "float32", shape);
}
