/**
 * One layer of the decoder in tuning: a graph of its forward pass, and one of
 * its backward pass.
 *
 * ```text
 * forward    x, weights            → y, kept activations
 * backward   x, dy, weights, kept  → dx, gradients of what is trained
 * ```
 *
 * Layers have the same shapes, so that a graph serves all of them: weights are
 * inputs. Activations are kept for the backward pass where memory allows;
 * without them it computes them again from x, so that only the layers' inputs
 * are held (gradient checkpointing).
 *
 * Shapes: S tokens, E hidden size, N query heads, H key-value heads, D head
 * size, F intermediate size, r rank.
 *
 * @module
 */

import type { LanguageConfig } from "../config/language_config.ts";
import type { BuiltGraph } from "../graph/built_graph.ts";
import type { Dtype } from "../graph/dtype.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { weightlessGraph } from "../graph/weightless.ts";
import { Activations } from "./activations.ts";
import {
  CausalAttention,
  type CausalAttentionOptions,
  type Heads,
} from "./causal_attention.ts";
import { type MatrixForm, type MatrixTraining, TunedMatrix } from "./matrix.ts";
import { TunedNorm } from "./norm.ts";
import {
  LAYER_MATRICES,
  LAYER_NORMS,
  type LayerMatrix,
  matrixShape,
} from "./layer_parts.ts";

/** Options of a layer's graphs. */
export interface LayerOptions extends CausalAttentionOptions {
  /** Type of activations. */
  readonly computeDtype: Dtype;
  /** True for devices that have no kernel for products of transposed stacks. */
  readonly transposed: boolean;
  /** Form of each matrix. */
  readonly forms: Readonly<Record<LayerMatrix, MatrixForm>>;
  /** Type in which norms that are not trained are bound. */
  readonly normDtype: Dtype;
  /** Trained part of each matrix. */
  readonly training: Readonly<Record<LayerMatrix, MatrixTraining>>;
  /** True if norms are trained. */
  readonly trainsNorms: boolean;
  /** True if activations are kept from the forward to the backward pass. */
  readonly keeps: boolean;
}

/**
 * Builds the forward pass: `x` `[S, E]` → `y` `[S, E]`, and kept activations
 * by name.
 */
export function forwardLayerGraph(
  config: LanguageConfig,
  options: LayerOptions,
): BuiltGraph {
  const { computeDtype, transposed } = options;
  const g = weightlessGraph("layer-forward", { computeDtype, transposed });
  const kept = new Activations(g, options.keeps ? "kept" : "dropped");
  const shape = ["S", config.hiddenSize];
  const x = g.input("x", computeDtype, shape);
  const layer = new TunedLayer(g, config, options, kept);
  g.output("y", layer.forward(x), computeDtype, shape);
  return g.build();
}

/**
 * Builds the backward pass: `x`, `dy` `[S, E]` and kept activations → `dx`
 * `[S, E]`; gradients of trained parameters are added in place.
 */
export function backwardLayerGraph(
  config: LanguageConfig,
  options: LayerOptions,
): BuiltGraph {
  const { computeDtype, transposed } = options;
  const g = weightlessGraph("layer-backward", { computeDtype, transposed });
  const kept = new Activations(g, options.keeps ? "given" : "dropped");
  const shape = ["S", config.hiddenSize];
  const x = g.input("x", computeDtype, shape);
  const dy = g.input("dy", computeDtype, shape);
  const layer = new TunedLayer(g, config, options, kept);
  g.output("dx", layer.backward(x, dy), computeDtype, shape);
  return g.build();
}

/** Adds the passes of a layer. */
class TunedLayer {
  readonly #g: Graph;
  readonly #config: LanguageConfig;
  readonly #kept: Activations;
  readonly #matrices: Readonly<Record<LayerMatrix, TunedMatrix>>;
  readonly #norms: readonly [TunedNorm, TunedNorm];
  readonly #attention: CausalAttention;

  constructor(
    g: Graph,
    config: LanguageConfig,
    options: LayerOptions,
    kept: Activations,
  ) {
    this.#g = g;
    this.#config = config;
    this.#kept = kept;
    const matrices = LAYER_MATRICES.map((name) => [
      name,
      new TunedMatrix(g, name, {
        shape: matrixShape(config, name),
        form: options.forms[name],
        training: options.training[name],
      }),
    ]);
    this.#matrices = Object.fromEntries(matrices);
    const [first, second] = LAYER_NORMS.map((name) =>
      new TunedNorm(g, name, {
        size: config.hiddenSize,
        epsilon: config.normEpsilon,
        dtype: options.normDtype,
        trained: options.trainsNorms,
      })
    );
    this.#norms = [first!, second!];
    this.#attention = new CausalAttention(g, config, options);
  }

  forward(x: Value): Value {
    const middle = this.#middle(x);
    return this.#linear(
      "mlp.down_proj",
      () => this.#activated(x),
      () => middle,
    )();
  }

  backward(x: Value, dy: Value): Value {
    const middle = this.#middle(x);
    const dMiddle = this.#backwardMlp(x, middle, dy);
    return this.#backwardAttention(x, dMiddle);
  }

  #backwardMlp(x: Value, middle: Value, dy: Value): Value {
    const g = this.#g;
    const mul = (a: Value, b: Value) => g.apply("Mul", [a, b]);
    const normed = this.#normed(1, () => middle);
    const gate = this.#gate(x, "mlp.gate_proj");
    const up = this.#gate(x, "mlp.up_proj");
    const sigmoid = g.apply("Sigmoid", [gate]);
    const silu = mul(gate, sigmoid);
    const product = this.#lazy(() => mul(silu, up));
    const dProduct = this.#back("mlp.down_proj", product, dy);
    const dUp = mul(dProduct, silu);
    // silu' = σ (1 + g (1 − σ)) = σ + silu (1 − σ) = σ + silu − silu · σ
    const slope = g.apply("Sub", [
      g.apply("Add", [sigmoid, silu]),
      mul(silu, sigmoid),
    ]);
    const dGate = mul(mul(dProduct, up), slope);
    const input = () => normed().y;
    const dNormed = this.#back(
      "mlp.gate_proj",
      input,
      dGate,
      this.#back("mlp.up_proj", input, dUp),
    );
    return this.#norms[1].backward(middle, normed().reciprocal, dNormed, dy);
  }

  #backwardAttention(x: Value, dMiddle: Value): Value {
    const normed = this.#normed(0, () => x);
    const heads = this.#heads(x);
    const attended = this.#attended(x);
    const dAttended = this.#back("self_attn.o_proj", () => attended, dMiddle);
    const gradients = this.#attention.backward(heads, attended, dAttended);
    const input = () => normed().y;
    const dNormed = this.#back(
      "self_attn.q_proj",
      input,
      this.#attention.rotated(gradients.query, true),
      this.#back(
        "self_attn.k_proj",
        input,
        this.#attention.rotated(gradients.key, true),
        this.#back("self_attn.v_proj", input, gradients.value),
      ),
    );
    return this.#norms[0].backward(x, normed().reciprocal, dNormed, dMiddle);
  }

  #back(name: LayerMatrix, x: () => Value, dy: Value, added?: Value): Value {
    const matrix = this.#matrices[name];
    return matrix.backward(x, dy, () => this.#reduced(name, x), added);
  }

  /** Returns the residual stream between attention and MLP, `[S, E]`. */
  #middle(x: Value): Value {
    const { hiddenSize: E } = this.#config;
    return this.#kept.value(
      "middle",
      ["S", E],
      this.#linear("self_attn.o_proj", () => this.#attended(x), () => x),
    );
  }

  #attended(x: Value): Value {
    const { heads, headSize } = this.#config;
    return this.#kept.value(
      "attended",
      ["S", heads * headSize],
      () => this.#attention.forward(this.#heads(x)),
    );
  }

  #heads(x: Value): Heads {
    const { heads: N, keyValueHeads: H, headSize: D } = this.#config;
    const input = () => this.#normed(0, () => x)().y;
    const project = (name: LayerMatrix) => this.#linear(name, input);
    const turned = (name: LayerMatrix) => () =>
      this.#attention.rotated(project(name)(), false);
    return {
      query: this.#kept.value(
        "query",
        ["S", N * D],
        turned("self_attn.q_proj"),
      ),
      key: this.#kept.value("key", ["S", H * D], turned("self_attn.k_proj")),
      value: this.#kept.value(
        "value",
        ["S", H * D],
        project("self_attn.v_proj"),
      ),
    };
  }

  /** Returns the result of the gate or of its partner, `[S, F]`. */
  #gate(x: Value, name: "mlp.gate_proj" | "mlp.up_proj"): Value {
    const { intermediateSize: F } = this.#config;
    return this.#kept.value(
      name,
      ["S", F],
      this.#linear(
        name,
        () => this.#normed(1, () => this.#middle(x))().y,
      ),
    );
  }

  #activated(x: Value): Value {
    const g = this.#g;
    const gate = this.#gate(x, "mlp.gate_proj");
    const silu = g.apply("Mul", [gate, g.apply("Sigmoid", [gate])]);
    return g.apply("Mul", [silu, this.#gate(x, "mlp.up_proj")]);
  }

  #linear(
    name: LayerMatrix,
    x: () => Value,
    added?: () => Value,
  ): () => Value {
    const matrix = this.#matrices[name];
    return () =>
      matrix.forward(
        x(),
        matrix.rank === undefined ? undefined : this.#reduced(name, x),
        added?.(),
      );
  }

  /** Returns `x · Aᵀ` of an adapter, `[S, r]`. */
  #reduced(name: LayerMatrix, x: () => Value): Value {
    const matrix = this.#matrices[name];
    return this.#kept.value(
      `${name}.reduced`,
      ["S", matrix.rank!],
      () => matrix.reduced(x()),
    );
  }

  #normed(index: 0 | 1, x: () => Value) {
    return this.#kept.once(
      LAYER_NORMS[index],
      () => this.#norms[index].forward(x()),
    );
  }

  #lazy(make: () => Value): () => Value {
    let value: Value | undefined;
    return () => value ??= make();
  }
}
