/**
 * The head in tuning: final norm, logits and cross-entropy at labeled
 * positions, with their gradients.
 *
 * ```text
 * n = norm(x[positions])     p = softmax(n · Wᵀ)
 * loss = Σ −log p[target]    dlogits = weight · (p − onehot(target))
 * ```
 *
 * Of replayed positions the probabilities q of the model without its adapter
 * take the place of the target (learning without forgetting, Li and Hoiem,
 * arXiv 1606.09282):
 *
 * ```text
 * loss = Σ −q · log p        dlogits = weight · (p − q)
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
  /** Form of the head's matrix in the checkpoint. */
  readonly form: MatrixForm;
  /** Type in which the norm is bound, if it is not trained. */
  readonly normDtype: Dtype;
  /** True if the matrix is trained. */
  readonly trainsMatrix: boolean;
  /** True if the norm is trained. */
  readonly trainsNorm: boolean;
}

/** Options of {@linkcode lossGradientGraph}. */
export interface LossGradientOptions extends LossOptions {
  /** True for replayed positions; the norm is not trained then. */
  readonly replayed: boolean;
}

/** Name of the head's matrix in the graphs. */
export const HEAD_MATRIX = "lm_head";
/** Name of the final norm in the graphs. */
export const FINAL_NORM = "norm";
/** Name of the head's matrix as the base has it, beside a trained one. */
export const BASE_HEAD_MATRIX = "base.lm_head";

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
  const parts = new LossParts(g, config, options);
  parts.lossOfTargets(parts.probabilities());
  return g.build();
}

/**
 * Builds the graph of the loss and its gradients: the same inputs, `weight`
 * float32 `[]`, which scales the gradients, and `dx` `[S, E]`, to which those
 * of the positions are added in `dx.new`. Of replayed positions, `base` `[S, E]`,
 * the model's `x` without its adapter, takes the place of `targets`.
 */
export function lossGradientGraph(
  config: LanguageConfig,
  options: LossGradientOptions,
): BuiltGraph {
  const { computeDtype, transposed } = options;
  const g = weightlessGraph("loss-gradient", { computeDtype, transposed });
  const parts = new LossParts(g, config, options);
  const probabilities = parts.probabilities();
  const dLogits = options.replayed
    ? parts.lossOfBase(probabilities)
    : parts.lossOfTargets(probabilities);
  const dNormed = parts.back(dLogits());
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
  readonly #config: LanguageConfig;
  readonly #options: LossOptions;
  readonly #matrix: TunedMatrix;
  readonly #norm: TunedNorm;
  readonly #rows: Value;
  readonly positions: Value;
  #normed: { y: Value; reciprocal: Value } | undefined;

  constructor(g: Graph, config: LanguageConfig, options: LossOptions) {
    this.#g = g;
    this.#config = config;
    this.#options = options;
    this.positions = g.input("positions", "int64", ["P"]);
    this.#rows = this.#gathered("x");
    this.#matrix = this.#head(HEAD_MATRIX, options.form, options.trainsMatrix);
    this.#norm = new TunedNorm(g, FINAL_NORM, {
      size: config.hiddenSize,
      epsilon: config.normEpsilon,
      dtype: options.normDtype,
      trained: options.trainsNorm,
    });
  }

  /** Returns the probabilities of the vocabulary, float32 `[P, V]`. */
  probabilities(): Value {
    this.#normed = this.#norm.forward(this.#rows);
    return this.#softmax(this.#matrix, this.#normed.y);
  }

  /**
   * Adds the output `loss` by the input `targets`; returns a function that adds
   * the gradient of the logits over their weight, float32 `[P, V]`.
   */
  lossOfTargets(probabilities: Value): () => Value {
    const g = this.#g;
    const targets = g.apply("Unsqueeze", [
      g.input("targets", "int64", ["P"]),
      g.integers(1),
    ]); // [P, 1]
    const target = g.apply("GatherElements", [probabilities, targets], {
      axis: 1,
    }); // [P, 1]
    this.#outputLoss(g.apply("Neg", [this.#log(target)]));
    return () => {
      const one = g.constant("float32", [], Float32Array.of(1));
      const less = g.apply("Sub", [target, one]);
      const inputs = [probabilities, targets, less];
      return g.apply("ScatterElements", inputs, { axis: 1 });
    };
  }

  /** The same by the input `base`, with the probabilities that it gives. */
  lossOfBase(probabilities: Value): () => Value {
    const g = this.#g;
    const { form, trainsMatrix } = this.#options;
    const { y } = this.#norm.forward(this.#gathered("base"));
    const matrix = trainsMatrix
      ? this.#head(BASE_HEAD_MATRIX, form, false)
      : this.#matrix;
    const expected = this.#softmax(matrix, y);
    const products = g.apply("Mul", [expected, this.#log(probabilities)]);
    const sum = g.apply("ReduceSum", [products, g.integers(1)]); // [P, 1]
    this.#outputLoss(g.apply("Neg", [sum]));
    return () => g.apply("Sub", [probabilities, expected]);
  }

  /** Returns the gradient of the normed rows, `[P, E]`. */
  back(dLogits: Value): Value {
    const g = this.#g;
    const weight = g.input("weight", "float32", []);
    const { computeDtype } = g;
    const casted = (value: Value) =>
      computeDtype === "float32" ? value : g.cast(value, computeDtype);
    // The weight scales rows of E, not of V, with the same results.
    const scale = casted(weight);
    const scaled = () => g.apply("Mul", [this.#normed!.y, scale]);
    const dNormed = this.#matrix.backward(scaled, casted(dLogits), undefined);
    return g.apply("Mul", [dNormed, scale]);
  }

  backNorm(dNormed: Value): Value {
    const { reciprocal } = this.#normed!;
    return this.#norm.backward(this.#rows, reciprocal, dNormed, undefined);
  }

  /** Returns the rows of the positions in the input `name`, `[P, E]`. */
  #gathered(name: string): Value {
    const g = this.#g;
    const x = g.input(name, g.computeDtype, ["S", this.#config.hiddenSize]);
    return g.apply("Gather", [x, this.positions]);
  }

  #head(name: string, form: MatrixForm, trained: boolean): TunedMatrix {
    const { vocabularySize, hiddenSize } = this.#config;
    return new TunedMatrix(this.#g, name, {
      shape: [vocabularySize, hiddenSize],
      form,
      training: { kind: trained ? "full" : "frozen" },
    });
  }

  #softmax(matrix: TunedMatrix, normed: Value): Value {
    const g = this.#g;
    const raw = matrix.forward(normed);
    const logits = g.computeDtype === "float32" ? raw : g.cast(raw, "float32");
    return g.apply("Softmax", [logits], { axis: -1 });
  }

  #log(probabilities: Value): Value {
    const g = this.#g;
    const least = g.constant("float32", [], Float32Array.of(LEAST));
    return g.apply("Log", [g.apply("Max", [probabilities, least])]);
  }

  #outputLoss(column: Value): void {
    const g = this.#g;
    const loss = g.apply("Squeeze", [column, g.integers(1)]);
    g.output("loss", loss, "float32", ["P"]);
  }
}
