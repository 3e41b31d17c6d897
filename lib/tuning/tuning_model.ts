/**
 * The model in tuning: the loss of a sequence, and its gradients.
 *
 * Sequences run without padding, one after the other on all threads, or side by
 * side on a thread each: threads that wait for each other in each operator lose
 * more the smaller the model is. Gradients are added up in place, those of
 * sequences that run side by side apart.
 *
 * @module
 */

import { rotaryAngles } from "../../models/rotary.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { BaseWeights } from "./base_weights.ts";
import { DeviceTuningMemory } from "./memory/device_tuning_memory.ts";
import { HostTuningMemory, type TuningMemory } from "./memory/tuning_memory.ts";
import { tunedParameters, type TuningMethod } from "./method.ts";
import { Parameters } from "./parameters.ts";
import { LayerPasses } from "./passes/layer_passes.ts";
import { LossPasses } from "./passes/loss_passes.ts";
import { copyParameters } from "./copy_parameters.ts";
import { PartialGradients } from "./partial_gradients.ts";
import type { TuningSequence } from "./sequence.ts";
import { TuningError } from "./tuning_error.ts";
import { sequenceCost, sharesOf } from "./passes/shares.ts";
import { type SequenceLoss, SequencePasses } from "./passes/sequence_passes.ts";
import { TuningSessions } from "./passes/tuning_sessions.ts";

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
  /**
   * Number of sequences that run side by side, on a thread each; 1 for one after
   * the other, on all threads. A device has 1.
   */
  readonly parallel: number;
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

/** A sequence and the factor of its gradients. */
export interface WeightedSequence {
  /** Sequence to compute. */
  readonly sequence: TuningSequence;
  /** Factor of the gradients, such as 1 / labels of a step. */
  readonly weight: number;
}

/** Computes losses and gradients of a checkpoint. */
export class TuningModel implements AsyncDisposable {
  /** The passes of sequences that run side by side. */
  readonly #passes: readonly SequencePasses[];
  readonly #gradients: PartialGradients;
  readonly #cost: (sequence: TuningSequence) => number;
  readonly #resources: AsyncDisposableStack;
  /** Trained parameters. */
  readonly parameters: Parameters;

  private constructor(parts: {
    readonly passes: readonly SequencePasses[];
    readonly gradients: PartialGradients;
    readonly cost: (sequence: TuningSequence) => number;
    readonly parameters: Parameters;
    readonly resources: AsyncDisposableStack;
  }) {
    this.#passes = parts.passes;
    this.#gradients = parts.gradients;
    this.#cost = parts.cost;
    this.#resources = parts.resources;
    this.parameters = parts.parameters;
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
    const { method, maxTokens, keeps, parallel } = options;
    const dtype = runtime.provider.computeDtype;
    await using opened = new AsyncDisposableStack();
    const { device } = runtime;
    const allocator = (): TuningMemory =>
      opened.use(
        device === undefined
          ? new HostTuningMemory(runtime)
          : new DeviceTuningMemory(runtime, device),
      );
    const memory = allocator();
    const sessions = opened.use(
      new TuningSessions(runtime, config, parallel > 1),
    );
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
      rotary,
      transposed: runtime.provider.transposed,
      queryBlock: options.queryBlock,
      chunk: options.lossChunk,
      keeps,
    };
    const gradients = opened.use(
      await PartialGradients.allocate(runtime, memory, parameters, parallel),
    );
    const passes = Array.from({ length: parallel }, (_, sequence) => {
      const added = {
        ...shared,
        gradient: (name: string) => gradients.tensor(sequence, name),
      };
      return new SequencePasses({
        ...shared,
        memory: sequence === 0 ? memory : allocator(),
        layers: new LayerPasses(added),
        // Weights are read on first use: none, if nothing is replayed.
        baseLayers: new LayerPasses({ ...added, method: UNTUNED }),
        ends: new LossPasses(added),
      });
    });
    return new TuningModel({
      passes,
      gradients,
      cost: (sequence) => sequenceCost(config, method, sequence),
      parameters,
      resources: opened.move(),
    });
  }

  /** Returns the losses of sequences, in their order. */
  async losses(
    sequences: readonly TuningSequence[],
    signal?: AbortSignal,
  ): Promise<SequenceLoss[]> {
    return await this.#sideBySide(
      sequences,
      (passes, index) => passes.loss(sequences[index]!, signal),
    );
  }

  /**
   * Returns the losses of sequences in their order, and adds their gradients to
   * the parameters'. Of a replayed one it is the cross-entropy with the base's
   * probabilities.
   *
   * @throws {TuningError} If one is replayed, and all weights are tuned.
   */
  async accumulate(
    weighted: readonly WeightedSequence[],
    signal?: AbortSignal,
  ): Promise<SequenceLoss[]> {
    const losses = await this.#sideBySide(
      weighted.map(({ sequence }) => sequence),
      (passes, index) => {
        const { sequence, weight } = weighted[index]!;
        return passes.accumulate(sequence, weight, signal);
      },
    );
    await this.#gradients.sum();
    return losses;
  }

  /** Frees everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #sideBySide(
    sequences: readonly TuningSequence[],
    compute: (passes: SequencePasses, index: number) => Promise<SequenceLoss>,
  ): Promise<SequenceLoss[]> {
    const losses: SequenceLoss[] = [];
    const costs = sequences.map((sequence) => this.#cost(sequence));
    const shares = sharesOf(costs, this.#passes.length);
    const ended = await Promise.allSettled(
      this.#passes.map(async (passes, i) => {
        for (const index of shares[i]!) {
          losses[index] = await compute(passes, index);
        }
      }),
    );
    // All have ended, so that nothing is freed that another one uses.
    for (const end of ended) {
      if (end.status === "rejected") throw end.reason;
    }
    return losses;
  }
}
