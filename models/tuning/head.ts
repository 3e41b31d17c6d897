/**
 * The head in tuning: final norm, logits and cross-entropy at labeled
 * positions, with their gradients.
 *
 * ```text
 * n = norm(x[positions])     p = softmax(n · Wᵀ)
 * loss = Σ −log p[target]    dlogits = weight · (p − onehot(target))
 * ```
 *
 * Positions are taken in chunks, as the probabilities of the vocabulary are the
 * largest activation. Softmax goes over the whole vocabulary, also where only
 * codes are learned, as in the reference.
 *
 * Shapes: S tokens, P positions of a chunk, E hidden size, V vocabulary.
 *
 * @module
 */

import type { LanguageConfig } from "../config/language_config.ts";
import type { BuiltGraph } from "../graph/built_graph.ts";
import type { Dtype } from "../graph/dtype.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { weightlessGraph } from "../graph/weightless.ts";
import { type MatrixForm, TunedMatrix } from "./matrix.ts";
import { TunedNorm } from "./norm.ts";

/** Options of the head's graphs. */
export interface LossOptions {
  /** Type of activations. */
  readonly computeDtype: Dtype;
  /** True for devices that lack some kernels; see `layer.ts`. */
  readonly transposed: boolean;
  /** Form of the head's matrix. */
  readonly form: MatrixForm;
  /** Type in which the norm is bound, if it is not trained. */
  readonly normDtype: Dtype;
  /** True if the matrix is trained. */
  readonly trainsMatrix: boolean;
  /** True if the norm is trained. */
  readonly trainsNorm: boolean;
}

/** Name of the head's matrix in the graphs. */
export const HEAD_MATRIX = "lm_head";
/** Name of the final norm in the graphs. */
export const FINAL_NORM = "norm";

/** The least probability that a loss is taken of. */
const LEAST = 1e-38;

/**
 * Builds the graph of the loss alone: `x` `[S, E]`, `positions` and `targets`
 * int64 `[P]` → `loss` float32 `[P]`.
 */
export function lossGraph(
  config: LanguageConfig,
  options: LossOptions,
): BuiltGraph {
  const { computeDtype, transposed } = options;
  const g = weightlessGraph("loss", { computeDtype, transposed });
  new LossParts(g, config, options).loss();
  return g.build();
}

/**
 * Builds the graph of the loss and its gradients: the same inputs, `weight`
 * float32 `[]`, which scales the gradients, and `dx` `[S, E]`, to which those
 * of the positions are added in `dx.new`.
 */
export function lossGradientGraph(
  config: LanguageConfig,
  options: LossOptions,
): BuiltGraph {
  const { computeDtype, transposed } = options;
  const g = weightlessGraph("loss-gradient", { computeDtype, transposed });
  const parts = new LossParts(g, config, options);
  const dNormed = parts.back(parts.loss());
  const dRows = parts.backNorm(dNormed);
  const shape = ["S", config.hiddenSize];
  const held = g.input("dx", computeDtype, shape);
  const index = g.apply("Unsqueeze", [parts.positions, g.integers(1)]);
  // Positions of all chunks differ, so that rows need not be added.
  const dx = g.apply("ScatterND", [held, index, dRows]);
  g.output("dx.new", dx, computeDtype, shape);
  return g.build();
}

/** Adds the parts of the head. */
class LossParts {
  readonly #g: Graph;
  readonly #matrix: TunedMatrix;
  readonly #norm: TunedNorm;
  readonly #rows: Value;
  readonly #targets: Value;
  readonly positions: Value;
  #normed: { y: Value; reciprocal: Value } | undefined;

  constructor(g: Graph, config: LanguageConfig, options: LossOptions) {
    const { hiddenSize: E, vocabularySize: V } = config;
    this.#g = g;
    const x = g.input("x", options.computeDtype, ["S", E]);
    this.positions = g.input("positions", "int64", ["P"]);
    this.#targets = g.apply("Unsqueeze", [
      g.input("targets", "int64", ["P"]),
      g.integers(1),
    ]); // [P, 1]
    this.#rows = g.apply("Gather", [x, this.positions]); // [P, E]
    this.#matrix = new TunedMatrix(g, HEAD_MATRIX, {
      shape: [V, E],
      form: options.form,
      training: { kind: options.trainsMatrix ? "full" : "frozen" },
    });
    this.#norm = new TunedNorm(g, FINAL_NORM, {
      size: E,
      epsilon: config.normEpsilon,
      dtype: options.normDtype,
      trained: options.trainsNorm,
    });
  }

  /** Adds the output `loss`; returns the probabilities, float32 `[P, V]`. */
  loss(): { probabilities: Value; target: Value } {
    const g = this.#g;
    this.#normed = this.#norm.forward(this.#rows);
    const raw = this.#matrix.forward(this.#normed.y);
    const logits = g.computeDtype === "float32" ? raw : g.cast(raw, "float32");
    const probabilities = g.apply("Softmax", [logits], { axis: -1 });
    const target = g.apply("GatherElements", [probabilities, this.#targets], {
      axis: 1,
    }); // [P, 1]
    const least = g.constant("float32", [], Float32Array.of(LEAST));
    const loss = g.apply("Neg", [
      g.apply("Log", [g.apply("Max", [target, least])]),
    ]);
    g.output(
      "loss",
      g.apply("Squeeze", [loss, g.integers(1)]),
      "float32",
      ["P"],
    );
    return { probabilities, target };
  }

  /** Returns the gradient of the normed rows, `[P, E]`. */
  back(
    { probabilities, target }: { probabilities: Value; target: Value },
  ): Value {
    const g = this.#g;
    const weight = g.input("weight", "float32", []);
    const one = g.constant("float32", [], Float32Array.of(1));
    const less = g.apply("Sub", [target, one]);
    const whole = g.apply("ScatterElements", [
      probabilities,
      this.#targets,
      less,
    ], { axis: 1 });
    const dLogits = g.computeDtype === "float32"
      ? whole
      : g.cast(whole, g.computeDtype);
    // The weight scales rows of E, not of V, with the same results.
    const scale = g.computeDtype === "float32"
      ? weight
      : g.cast(weight, g.computeDtype);
    const scaled = () => g.apply("Mul", [this.#normed!.y, scale]);
    const dNormed = this.#matrix.backward(scaled, dLogits, undefined);
    return g.apply("Mul", [dNormed, scale]);
  }

  backNorm(dNormed: Value): Value {
    const { reciprocal } = this.#normed!;
    return this.#norm.backward(this.#rows, reciprocal, dNormed, undefined);
  }
}
