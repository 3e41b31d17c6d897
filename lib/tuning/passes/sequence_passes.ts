/**
 * The passes of one sequence: its loss, and its gradients.
 *
 * ```text
 * tokens ─▶ embedding ─▶ layer × L ─▶ loss
 *              ◀─────── layer × L ◀─── gradient
 * ```
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import type { TuningMemory } from "../memory/tuning_memory.ts";
import { trainedLayers, type TuningMethod } from "../method.ts";
import type { TuningSequence } from "../sequence.ts";
import { TuningError } from "../tuning_error.ts";
import { keptWidths } from "./kept_widths.ts";
import { labeledPart } from "./labeled_part.ts";
import type { LayerPasses } from "./layer_passes.ts";
import type { LossPasses } from "./loss_passes.ts";
import { Workspace } from "./workspace.ts";

/** The parts of {@linkcode SequencePasses}. */
export interface SequencePassesOptions {
  /** Configuration of the model. */
  readonly config: LanguageConfig;
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** True if activations are kept for the backward pass. */
  readonly keeps: boolean;
  /** Type of activations. */
  readonly dtype: Dtype;
  /** Memory of activations, which no other sequence uses at the same time. */
  readonly memory: TuningMemory;
  /** Layers of the model. */
  readonly layers: LayerPasses;
  /** Layers of the base, without adapters. */
  readonly baseLayers: LayerPasses;
  /** Embedding and loss. */
  readonly ends: LossPasses;
}

/** The loss of a sequence. */
export interface SequenceLoss {
  /** Sum of the losses of its labels, in nats. */
  readonly sum: number;
  /** Number of labels. */
  readonly labels: number;
}

/** Computes one sequence after another. */
export class SequencePasses {
  readonly #options: SequencePassesOptions;
  readonly #kept: readonly ReadonlyMap<string, number>[];
  /** The lowest layer that is trained, where the backward pass ends. */
  readonly #first: number;

  /**
   * Creates the passes.
   *
   * @throws {TuningError} If the method names a layer that the model does not
   * have.
   */
  constructor(options: SequencePassesOptions) {
    this.#options = options;
    const { config, method, keeps } = options;
    [this.#first = config.layers] = trainedLayers(config, method);
    this.#kept = Array.from(
      { length: keeps ? config.layers : 0 },
      (_, layer) => keptWidths(config, method, layer),
    );
  }

  /** Returns the loss of a sequence. */
  async loss(
    sequence: TuningSequence,
    signal?: AbortSignal,
  ): Promise<SequenceLoss> {
    const labeled = labeledPart(sequence);
    using workspace = this.#workspace(labeled.tokens.length);
    const { layers } = this.#options.config;
    await this.#embed(labeled.tokens, workspace, signal);
    await this.#forward(workspace, { end: layers, backward: false }, signal);
    return {
      sum: await this.#options.ends.loss(
        await workspace.stream(layers),
        labeled,
        signal,
      ),
      labels: labeled.targets.length,
    };
  }

  /**
   * Returns the loss of a sequence, and adds its gradients to the parameters'.
   * Of a replayed one it is the cross-entropy with the base's probabilities.
   *
   * @param weight Factor of the gradients, such as 1 / labels of a step.
   * @throws {TuningError} If it is replayed, and all weights are tuned.
   */
  async accumulate(
    sequence: TuningSequence,
    weight: number,
    signal?: AbortSignal,
  ): Promise<SequenceLoss> {
    if (sequence.replayed && this.#options.method.kind === "full") {
      throw new TuningError(
        `record "${sequence.key}" is replayed, which needs the base beside an adapter: use --method lora`,
      );
    }
    const labeled = labeledPart(sequence);
    const { layers } = this.#options.config;
    using workspace = this.#workspace(labeled.tokens.length);
    const first = this.#first;
    await this.#embed(labeled.tokens, workspace, signal);
    // No adapter changes what these layers compute: the base shares it.
    await this.#forward(workspace, { end: first, backward: false }, signal);
    const base = sequence.replayed
      ? await this.#forwardBase(workspace, signal)
      : undefined;
    const rest = { start: first, end: layers, backward: true };
    await this.#forward(workspace, rest, signal);
    const sum = await this.#options.ends.lossAndGradient(
      await workspace.stream(layers),
      await workspace.gradient(layers),
      await workspace.gradient(layers + 1),
      { ...labeled, weight, base },
      signal,
    );
    for (let layer = layers - 1; layer >= first; layer--) {
      await this.#options.layers.backward(layer, workspace, signal);
    }
    if (this.#options.method.kind === "full") {
      await this.#options.ends.embeddingGradient(
        labeled.tokens,
        await workspace.gradient(0),
        signal,
      );
    }
    return { sum, labels: labeled.targets.length };
  }

  /** Computes the stream before the first layer, which the base shares. */
  async #embed(
    tokens: Int32Array,
    workspace: Workspace,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#options.ends.embedding(
      tokens,
      await workspace.stream(0),
      signal,
    );
  }

  async #forward(
    workspace: Workspace,
    { start = 0, end, backward }: {
      readonly start?: number;
      readonly end: number;
      readonly backward: boolean;
    },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (let layer = start; layer < end; layer++) {
      await this.#options.layers.forward(
        layer,
        workspace,
        { backward },
        signal,
      );
    }
  }

  /** Returns the stream after the last layer of the base, without adapters. */
  async #forwardBase(
    workspace: Workspace,
    signal: AbortSignal | undefined,
  ): Promise<Tensor> {
    if (this.#first === this.#options.config.layers) {
      return await workspace.stream(this.#first);
    }
    const base = await workspace.base();
    const last = this.#options.config.layers - 1;
    for (let layer = this.#first; layer <= last; layer++) {
      const y = layer === last ? base : undefined;
      const options = { backward: false, y };
      await this.#options.baseLayers.forward(layer, workspace, options, signal);
    }
    return base;
  }

  #workspace(length: number): Workspace {
    const { memory, config, dtype } = this.#options;
    return new Workspace(memory, { config, length, dtype, kept: this.#kept });
  }
}
