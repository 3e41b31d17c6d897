/**
 * The model in tuning: the loss of a sequence, and its gradients.
 *
 * ```text
 * tokens ─▶ embedding ─▶ layer × L ─▶ loss
 *              ◀─────── layer × L ◀─── gradient
 * ```
 *
 * One sequence runs at a time, without padding; gradients of several are added
 * up in place.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { Dtype } from "../../models/graph/dtype.ts";
import { rotaryAngles } from "../../models/rotary.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { BaseWeights } from "./base_weights.ts";
import { DeviceTuningMemory } from "./memory/device_tuning_memory.ts";
import { HostTuningMemory, type TuningMemory } from "./memory/tuning_memory.ts";
import { trainedLayers, tunedParameters, type TuningMethod } from "./method.ts";
import { Parameters } from "./parameters.ts";
import { keptWidths } from "./passes/kept_widths.ts";
import { LayerPasses } from "./passes/layer_passes.ts";
import { LossPasses } from "./passes/loss_passes.ts";
import { copyParameters } from "./copy_parameters.ts";
import { NO_LABEL, type TuningSequence } from "./sequence.ts";
import { TuningError } from "./tuning_error.ts";
import { TuningSessions } from "./passes/tuning_sessions.ts";
import { Workspace } from "./passes/workspace.ts";

/** Options of {@linkcode TuningModel.open}. */
export interface TuningModelOptions {
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** Seed of an adapter's start. */
  readonly seed: number;
  /** The most tokens of a sequence. */
  readonly maxTokens: number;
  /** Number of queries whose scores exist at once. */
  readonly queryBlock: number;
  /** Number of positions whose logits exist at once. */
  readonly lossChunk: number;
  /** True if activations are kept for the backward pass. */
  readonly keeps: boolean;
  /** True if weights are cast to the computing type once. */
  readonly castsOnce: boolean;
}

/** The method of a base that is not tuned: an adapter of no matrix. */
const UNTUNED: TuningMethod = {
  kind: "lora",
  rank: 1,
  alpha: 1,
  stabilized: false,
  targets: [],
  layers: undefined,
  head: false,
};

/** The loss of a sequence. */
export interface SequenceLoss {
  /** Sum of the losses of its labels, in nats. */
  readonly sum: number;
  /** Number of labels. */
  readonly labels: number;
}

/** Computes losses and gradients of a checkpoint. */
export class TuningModel implements AsyncDisposable {
  readonly #config: LanguageConfig;
  readonly #options: TuningModelOptions;
  readonly #memory: TuningMemory;
  readonly #layers: LayerPasses;
  readonly #baseLayers: LayerPasses;
  readonly #ends: LossPasses;
  readonly #dtype: Dtype;
  readonly #kept: readonly ReadonlyMap<string, number>[];
  /** The lowest layer that is trained, where the backward pass ends. */
  readonly #first: number;
  readonly #resources: AsyncDisposableStack;
  /** Trained parameters. */
  readonly parameters: Parameters;

  private constructor(
    config: LanguageConfig,
    options: TuningModelOptions,
    parts: {
      readonly memory: TuningMemory;
      readonly layers: LayerPasses;
      readonly baseLayers: LayerPasses;
      readonly ends: LossPasses;
      readonly parameters: Parameters;
      readonly dtype: Dtype;
      readonly resources: AsyncDisposableStack;
    },
  ) {
    this.#config = config;
    this.#options = options;
    this.#memory = parts.memory;
    this.#layers = parts.layers;
    this.#baseLayers = parts.baseLayers;
    this.#ends = parts.ends;
    this.#dtype = parts.dtype;
    this.#resources = parts.resources;
    this.parameters = parts.parameters;
    const { method, keeps } = options;
    [this.#first = config.layers] = trainedLayers(config, method);
    this.#kept = Array.from(
      { length: keeps ? config.layers : 0 },
      (_, layer) => keptWidths(config, method, layer),
    );
  }

  /**
   * Opens a checkpoint for tuning, at its stored weights or at the start of a
   * new adapter.
   *
   * @throws {CheckpointError} If a weight is missing or has another shape.
   * @throws {RuntimeError} If ONNX Runtime refuses a graph.
   * @throws {TuningError} If the system or the method does not allow it.
   */
  static async open(
    runtime: Runtime,
    checkpoint: LanguageCheckpoint,
    options: TuningModelOptions,
  ): Promise<TuningModel> {
    const { config } = checkpoint;
    const { method, maxTokens } = options;
    const dtype = runtime.provider.computeDtype;
    await using opened = new AsyncDisposableStack();
    const { device } = runtime;
    const memory = opened.use(
      device === undefined
        ? new HostTuningMemory(runtime)
        : new DeviceTuningMemory(runtime, device),
    );
    const sessions = opened.use(new TuningSessions(runtime, config));
    const base = opened.use(
      new BaseWeights(
        runtime,
        checkpoint,
        // A device has copies of all weights anyway.
        options.castsOnce || device !== undefined ? dtype : undefined,
      ),
    );
    const parameters = opened.use(
      await Parameters.allocate(memory, tunedParameters(config, method)),
    );
    if (method.kind === "lora" && method.head && config.tiedEmbeddings) {
      throw new TuningError(
        "the head is the table of embeddings, so that it cannot be trained apart: leave out --head, or use --method full",
      );
    }
    await copyParameters(runtime, base, parameters);
    await parameters.startAdapters(options.seed);
    const { cos, sin } = rotaryAngles(config, maxTokens);
    const shape = [maxTokens, config.headSize / 2];
    const rotary: [Tensor, Tensor] = [
      opened.use(await memory.holding(cos, shape)),
      opened.use(await memory.holding(sin, shape)),
    ];
    const shared = {
      runtime,
      config,
      sessions,
      base,
      parameters,
      method,
      dtype,
    };
    const passes = {
      ...shared,
      rotary,
      transposed: runtime.provider.transposed,
      queryBlock: options.queryBlock,
      keeps: options.keeps,
    };
    const layers = new LayerPasses(passes);
    // Weights are read on first use: none, if nothing is replayed.
    const baseLayers = new LayerPasses({ ...passes, method: UNTUNED });
    const ends = new LossPasses({ ...shared, chunk: options.lossChunk });
    return new TuningModel(config, options, {
      memory,
      layers,
      baseLayers,
      ends,
      parameters,
      dtype,
      resources: opened.move(),
    });
  }

  /** Returns the loss of a sequence. */
  async loss(
    sequence: TuningSequence,
    signal?: AbortSignal,
  ): Promise<SequenceLoss> {
    const labeled = labeledPart(sequence);
    using workspace = this.#workspace(labeled.tokens.length);
    const { layers } = this.#config;
    await this.#embed(labeled.tokens, workspace, signal);
    await this.#forward(workspace, { end: layers, backward: false }, signal);
    return {
      sum: await this.#ends.loss(
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
    const { layers } = this.#config;
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
    const sum = await this.#ends.lossAndGradient(
      await workspace.stream(layers),
      await workspace.gradient(layers),
      await workspace.gradient(layers + 1),
      { ...labeled, weight, base },
      signal,
    );
    for (let layer = layers - 1; layer >= first; layer--) {
      await this.#layers.backward(layer, workspace, signal);
    }
    if (this.#options.method.kind === "full") {
      await this.#ends.embeddingGradient(
        labeled.tokens,
        await workspace.gradient(0),
        signal,
      );
    }
    return { sum, labels: labeled.targets.length };
  }

  /** Frees everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  /** Computes the stream before the first layer, which the base shares. */
  async #embed(
    tokens: Int32Array,
    workspace: Workspace,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.#ends.embedding(tokens, await workspace.stream(0), signal);
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
      await this.#layers.forward(layer, workspace, { backward }, signal);
    }
  }

  /** Returns the stream after the last layer of the base, without adapters. */
  async #forwardBase(
    workspace: Workspace,
    signal: AbortSignal | undefined,
  ): Promise<Tensor> {
    if (this.#first === this.#config.layers) {
      return await workspace.stream(this.#first);
    }
    const base = await workspace.base();
    const last = this.#config.layers - 1;
    for (let layer = this.#first; layer <= last; layer++) {
      const y = layer === last ? base : undefined;
      const options = { backward: false, y };
      await this.#baseLayers.forward(layer, workspace, options, signal);
    }
    return base;
  }

  #workspace(length: number): Workspace {
    return new Workspace(this.#memory, {
      config: this.#config,
      length,
      dtype: this.#dtype,
      kept: this.#kept,
    });
  }
}

/** The tokens that the loss depends on, and the positions that have labels. */
export interface LabeledPart {
  /** Tokens up to the last one that predicts a label. */
  readonly tokens: Int32Array;
  /** Positions of the tokens that predict a label. */
  readonly positions: Int32Array;
  /** Label of each. */
  readonly targets: Int32Array;
}

/** Returns the part of a sequence that gives its loss. */
export function labeledPart({ tokens, labels }: TuningSequence): LabeledPart {
  const positions: number[] = [];
  for (let i = 1; i < labels.length; i++) {
    if (labels[i] !== NO_LABEL) positions.push(i - 1);
  }
  const last = positions.at(-1) ?? 0;
  return {
    tokens: tokens.subarray(0, last + 1),
    positions: Int32Array.from(positions),
    targets: Int32Array.from(positions, (position) => labels[position + 1]!),
  };
}
