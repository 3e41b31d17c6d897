/**
 * The passes of layers: binds the weights and activations of one, and runs it.
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import { keptName } from "../../../models/tuning/activations.ts";
import {
  LAYER_MATRICES,
  LAYER_NORMS,
  layerKey,
  type LayerMatrix,
  matrixShape,
} from "../../../models/tuning/layer_parts.ts";
import {
  adapterNames,
  gradientName,
  type MatrixForm,
  type MatrixTraining,
  updatedName,
} from "../../../models/tuning/matrix.ts";
import type { Binding } from "../../runtime/session.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import type { BaseWeights } from "../base_weights.ts";
import { trainingOf, type TuningMethod } from "../method.ts";
import type { Parameters } from "../parameters.ts";
import type { FixedLayerOptions, TuningSessions } from "./tuning_sessions.ts";
import type { Workspace } from "./workspace.ts";

/** The parts that passes of layers need. */
export interface LayerPassesOptions {
  /** Configuration of the model. */
  readonly config: LanguageConfig;
  /** Sessions by graph. */
  readonly sessions: TuningSessions;
  /** Weights that are not trained. */
  readonly base: BaseWeights;
  /** Parameters that are trained. */
  readonly parameters: Parameters;
  /** Returns the tensor that the gradient of a parameter is added to. */
  readonly gradient: (name: string) => Tensor;
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** Type of activations. */
  readonly dtype: Dtype;
  /** Cosines and sines of positions. */
  readonly rotary: readonly [Tensor, Tensor];
  /** True for devices without products of transposed stacks. */
  readonly transposed: boolean;
  /** Number of queries whose scores exist at once. */
  readonly queryBlock: number;
  /** True if activations are kept for the backward pass. */
  readonly keeps: boolean;
}

/** An input of a layer's graphs. */
interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The inputs of one layer that do not change. */
interface LayerInputs {
  readonly fixed: FixedLayerOptions;
  readonly weights: readonly NamedTensor[];
  /** Gradients, added in place. */
  readonly gradients: readonly NamedTensor[];
}

/** Runs the passes of layers. */
export class LayerPasses {
  readonly #options: LayerPassesOptions;
  readonly #inputs = new Map<number, Promise<LayerInputs>>();

  /** Creates the passes; weights are read on first use. */
  constructor(options: LayerPassesOptions) {
    this.#options = options;
  }

  /**
   * Computes the residual stream after a layer.
   *
   * @param backward True if a backward pass follows.
   * @param y Tensor that it is written to; that of the workspace by default.
   */
  async forward(
    layer: number,
    workspace: Workspace,
    { backward, y }: {
      readonly backward: boolean;
      readonly y?: Tensor | undefined;
    },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { sessions } = this.#options;
    const inputs = await this.#of(layer);
    const keeps = backward && this.#options.keeps;
    const { length } = workspace;
    const session = await sessions.layer("forward", inputs.fixed, {
      length,
      keeps,
    });
    using binding = session.bind();
    this.#bindShared(binding, inputs);
    binding.input("x", await workspace.stream(layer));
    binding.output("y", y ?? await workspace.stream(layer + 1));
    if (keeps) {
      for (const [name, tensor] of await workspace.kept(layer)) {
        binding.output(keptName(name), tensor);
      }
    }
    await binding.run(signal);
  }

  /**
   * Computes the gradient of the residual stream before a layer, and adds those
   * of its parameters.
   */
  async backward(
    layer: number,
    workspace: Workspace,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { sessions, keeps } = this.#options;
    const inputs = await this.#of(layer);
    const { length } = workspace;
    const session = await sessions.layer("backward", inputs.fixed, {
      length,
      keeps,
    });
    using binding = session.bind();
    this.#bindShared(binding, inputs);
    binding.input("x", await workspace.stream(layer));
    binding.input("dy", await workspace.gradient(layer + 1));
    binding.output("dx", await workspace.gradient(layer));
    for (const { name, tensor } of inputs.gradients) {
      binding.input(name, tensor).output(updatedName(name), tensor);
    }
    if (keeps) {
      for (const [name, tensor] of await workspace.kept(layer)) {
        binding.input(keptName(name), tensor);
      }
    }
    await binding.run(signal);
  }

  #bindShared(binding: Binding, { weights }: LayerInputs): void {
    const [cos, sin] = this.#options.rotary;
    binding.input("rotary_cos", cos).input("rotary_sin", sin);
    for (const { name, tensor } of weights) binding.input(name, tensor);
  }

  #of(layer: number): Promise<LayerInputs> {
    let inputs = this.#inputs.get(layer);
    if (inputs === undefined) {
      inputs = this.#read(layer);
      this.#inputs.set(layer, inputs);
    }
    return inputs;
  }

  async #read(layer: number): Promise<LayerInputs> {
    const { config, base, method, dtype, queryBlock } = this.#options;
    const forms: [LayerMatrix, MatrixForm][] = [];
    const training: [LayerMatrix, MatrixTraining][] = [];
    const weights: NamedTensor[] = [];
    const gradients: NamedTensor[] = [];
    for (const name of LAYER_MATRICES) {
      const key = layerKey(layer, name);
      const shape = matrixShape(config, name);
      const trained = trainingOf(method, layer, name);
      training.push([name, trained]);
      forms.push([name, base.form(key, shape)]);
      if (trained.kind === "full") {
        this.#train(layer, `${name}.weight`, weights, gradients);
        continue;
      }
      for (const { suffix, tensor } of await base.matrix(key, shape)) {
        weights.push({ name: `${name}.${suffix}`, tensor });
      }
      if (trained.kind === "frozen") continue;
      const { a, b } = adapterNames(name);
      this.#train(layer, a, weights, gradients);
      this.#train(layer, b, weights, gradients);
    }
    const full = method.kind === "full";
    for (const name of LAYER_NORMS) {
      if (full) {
        this.#train(layer, `${name}.weight`, weights, gradients);
        continue;
      }
      const key = layerKey(layer, name);
      const tensor = await base.floats(key, [config.hiddenSize], dtype);
      weights.push({ name: `${name}.weight`, tensor });
    }
    const fixed = {
      blockLength: queryBlock,
      computeDtype: dtype,
      transposed: this.#options.transposed,
      forms: Object.fromEntries(forms) as Record<LayerMatrix, MatrixForm>,
      training: Object.fromEntries(training) as Record<
        LayerMatrix,
        MatrixTraining
      >,
      normDtype: dtype,
      trainsNorms: full,
    };
    return { fixed, weights, gradients };
  }

  #train(
    layer: number,
    name: string,
    weights: NamedTensor[],
    gradients: NamedTensor[],
  ): void {
    const { parameters, gradient } = this.#options;
    const key = layerKey(layer, name);
    weights.push({ name, tensor: parameters.tensor("values", key) });
    gradients.push({
      name: gradientName(name),
      tensor: gradient(key),
    });
  }
}
