/**
 * RMSNorm in tuning: its result, and its gradients.
 *
 * ```text
 * y  = x · r · w                 r = 1 / √(mean(x²) + ε)
 * dx = r · (w ⊙ dy) − x · r³ · mean(x ⊙ w ⊙ dy)
 * dw = Σ dy ⊙ x · r
 * ```
 *
 * Shapes: S tokens, E hidden size.
 *
 * @module
 */

import type { Dtype } from "../graph/dtype.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { casted, gradientName, parameter, updatedName } from "./matrix.ts";

/** A description of a norm. */
export interface NormOptions {
  /** Width, E. */
  readonly size: number;
  /** Number added to the variance. */
  readonly epsilon: number;
  /** Type in which a weight that is not trained is bound. */
  readonly dtype: Dtype;
  /** True if the weight is trained. */
  readonly trained: boolean;
}

/** A norm's results. */
export interface Normed {
  /** Result, `[S, E]`. */
  readonly y: Value;
  /** Reciprocal of the root mean square, float32 `[S, 1]`. */
  readonly reciprocal: Value;
}

/** Adds one norm to a graph, whose inputs it declares. */
export class TunedNorm {
  readonly #g: Graph;
  readonly #name: string;
  readonly #options: NormOptions;
  #weight: Value | undefined;

  /**
   * Creates the norm.
   *
   * @param name Prefix of its inputs, such as `input_layernorm`.
   */
  constructor(g: Graph, name: string, options: NormOptions) {
    this.#g = g;
    this.#name = name;
    this.#options = options;
  }

  /** Returns the norm of `x`, `[S, E]`. */
  forward(x: Value): Normed {
    const g = this.#g;
    const { epsilon } = this.#options;
    const inputs = [x, this.#scale()];
    const attributes = {
      axis: -1,
      epsilon: { float: epsilon },
      "stash_type": 1,
    };
    const operator = "SimplifiedLayerNormalization";
    if (!g.options.transposed) {
      const [y, reciprocal] = g.applyMany(operator, inputs, 2, attributes);
      return { y: y!, reciprocal: reciprocal! };
    }
    // Kernels of WebGPU leave the second result unwritten.
    return {
      y: g.apply(operator, inputs, attributes),
      reciprocal: this.#reciprocal(x),
    };
  }

  #reciprocal(x: Value): Value {
    const g = this.#g;
    const whole = g.computeDtype === "float32" ? x : g.cast(x, "float32");
    const squares = g.apply("Mul", [whole, whole]);
    const mean = g.apply("ReduceMean", [squares, g.integers(-1)], {
      keepdims: 1,
    });
    const epsilon = g.constant(
      "float32",
      [],
      Float32Array.of(this.#options.epsilon),
    );
    const root = g.apply("Sqrt", [g.apply("Add", [mean, epsilon])]);
    return g.apply("Reciprocal", [root]);
  }

  /**
   * Returns `dx`, `[S, E]`, and adds the gradient of a trained weight to its
   * output.
   *
   * @param x Input of the forward pass.
   * @param dy Gradient of the result.
   * @param added Gradient that is added to `dx`.
   */
  backward(
    x: Value,
    reciprocal: Value,
    dy: Value,
    added: Value | undefined,
  ): Value {
    const g = this.#g;
    const mul = (a: Value, b: Value) => g.apply("Mul", [a, b]);
    const r = casted(g, reciprocal, "float32");
    const unit = mul(x, r); // x / rms
    if (this.#options.trained) this.#accumulate(mul(dy, unit));
    const scaled = mul(dy, this.#scale());
    const mean = g.apply("ReduceMean", [mul(unit, scaled), g.integers(-1)], {
      keepdims: 1,
    });
    const dx = mul(r, g.apply("Sub", [scaled, mul(unit, mean)]));
    return added === undefined ? dx : g.apply("Add", [added, dx]);
  }

  #scale(): Value {
    const { size, dtype, trained } = this.#options;
    const name = `${this.#name}.weight`;
    this.#weight ??= trained
      ? parameter(this.#g, name, [size])
      : casted(this.#g, this.#g.input(name, dtype, [size]), dtype);
    return this.#weight;
  }

  #accumulate(product: Value): void {
    const g = this.#g;
    const gradient = gradientName(`${this.#name}.weight`);
    const { size } = this.#options;
    const held = g.input(gradient, "float32", [size]);
    const whole = g.computeDtype === "float32"
      ? product
      : g.cast(product, "float32");
    const sum = g.apply("ReduceSum", [whole, g.integers(0)], { keepdims: 0 });
    g.applyNamed("Add", [held, sum], [updatedName(gradient)]);
    g.declareOutput(updatedName(gradient), "float32", [size]);
  }
}
