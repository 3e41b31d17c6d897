/**
 * The passes at both ends of the layers: embedding, and loss.
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import {
  BASE_HEAD_MATRIX,
  FINAL_NORM,
  HEAD_MATRIX,
} from "../../../models/tuning/head.ts";
import { gradientName, updatedName } from "../../../models/tuning/matrix.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Binding } from "../../runtime/session.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import type { BaseWeights } from "../base_weights.ts";
import { EMBEDDING_KEY, FINAL_NORM_KEY, HEAD_KEY } from "../method.ts";
import type { Parameters } from "../parameters.ts";
import type { TuningSessions } from "./tuning_sessions.ts";

/** The parts that the passes need. */
export interface LossPassesOptions {
  /** Runtime that makes tensors. */
  readonly runtime: Runtime;
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
  /** Type of activations. */
  readonly dtype: Dtype;
  /** Number of positions whose logits exist at once. */
  readonly chunk: number;
}

/** Positions and the token that each should predict. */
export interface LossTargets {
  /** Positions of a sequence. */
  readonly positions: Int32Array;
  /** Token after each. */
  readonly targets: Int32Array;
}

/** Labels with the factor of their gradients. */
export interface WeightedTargets extends LossTargets {
  /** Factor of the gradients. */
  readonly weight: number;
  /**
   * Residual stream after the last layer of the base, `[S, E]`, whose
   * probabilities are learned in place of the targets.
   */
  readonly base?: Tensor | undefined;
}

/** Runs embedding and loss. */
export class LossPasses {
  readonly #options: LossPassesOptions;

  /** Creates the passes; weights are read on first use. */
  constructor(options: LossPassesOptions) {
    this.#options = options;
  }

  /** Writes the embeddings of tokens to `x`, `[S, E]`. */
  async embedding(
    tokens: Int32Array,
    x: Tensor,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { sessions, dtype } = this.#options;
    const table = await this.#weight(EMBEDDING_KEY, this.#tableShape);
    const session = await sessions.embedding(dtype, table.dtype);
    using ids = this.#integers(tokens);
    using binding = session.bind()
      .input("table", table)
      .input("ids", ids)
      .output("x", x);
    await binding.run(signal);
  }

  /** Adds the gradient of the table of embeddings. */
  async embeddingGradient(
    tokens: Int32Array,
    dx: Tensor,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { sessions, dtype } = this.#options;
    const session = await sessions.embeddingGradient(dtype);
    const gradient = this.#options.gradient(EMBEDDING_KEY);
    using ids = this.#integers(tokens);
    using binding = session.bind()
      .input("gradient", gradient)
      .input("ids", ids)
      .input("dx", dx)
      .output("gradient.new", gradient);
    await binding.run(signal);
  }

  /** Returns the sum of losses, in nats. */
  async loss(
    x: Tensor,
    targets: LossTargets,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let sum = 0;
    for (const chunk of chunks(targets, this.#options.chunk)) {
      using binding = await this.#bound(x, "loss");
      sum += await this.#run(binding, chunk, signal);
    }
    return sum;
  }

  /**
   * Returns the sum of losses, and writes the gradient of `x` to `dx`.
   *
   * @param other A second buffer like `dx`; overwritten.
   */
  async lossAndGradient(
    x: Tensor,
    dx: Tensor,
    other: Tensor,
    { weight, base, ...targets }: WeightedTargets,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    using factor = this.#options.runtime.tensor(Float32Array.of(weight), []);
    const parts = [...chunks(targets, this.#options.chunk)];
    await this.#clear(parts.length % 2 === 0 ? dx : other, signal);
    let sum = 0;
    for (const [index, chunk] of parts.entries()) {
      // The last chunk writes to dx, and each reads what the last one wrote.
      const toDx = (parts.length - index) % 2 === 1;
      const kind = base === undefined ? "gradient" : "replayed gradient";
      using binding = await this.#bound(x, kind);
      binding.input("weight", factor)
        .input("dx", toDx ? other : dx)
        .output("dx.new", toDx ? dx : other);
      if (base !== undefined) binding.input("base", base);
      sum += await this.#run(binding, chunk, signal, base === undefined);
    }
    return sum;
  }

  async #run(
    binding: Binding,
    { positions, targets }: LossTargets,
    signal: AbortSignal | undefined,
    takesTargets = true,
  ): Promise<number> {
    const losses = new Float32Array(positions.length);
    using stack = new DisposableStack();
    binding.input("positions", stack.use(this.#integers(positions)));
    if (takesTargets) {
      binding.input("targets", stack.use(this.#integers(targets)));
    }
    const { runtime } = this.#options;
    binding.output(
      "loss",
      stack.use(runtime.tensor(losses, [losses.length])),
    );
    await binding.run(signal);
    return losses.reduce((sum, loss) => sum + loss, 0);
  }

  /** Returns a binding of the weights and of `x`. */
  async #bound(
    x: Tensor,
    kind: "loss" | "gradient" | "replayed gradient",
  ): Promise<Binding> {
    const { config, base, dtype, sessions, parameters } = this.#options;
    const tied = config.tiedEmbeddings;
    const key = tied ? EMBEDDING_KEY : HEAD_KEY;
    const trainsMatrix = parameters.has(key);
    const trainsNorm = parameters.has(FINAL_NORM_KEY);
    const gradients = kind !== "loss";
    const replayed = kind === "replayed gradient";
    const options = {
      computeDtype: dtype,
      transposed: this.#options.runtime.provider.transposed,
      form: base.form(withoutWeight(key), this.#tableShape),
      normDtype: dtype,
      trainsMatrix,
      trainsNorm,
    };
    const session = gradients
      ? await sessions.lossGradient({ ...options, replayed })
      : await sessions.loss(options);
    const binding = session.bind().input("x", x);
    const trained = (name: string, parameter: string) => {
      binding.input(name, parameters.tensor("values", parameter));
      if (!gradients) return;
      const gradient = this.#options.gradient(parameter);
      binding.input(gradientName(name), gradient)
        .output(updatedName(gradientName(name)), gradient);
    };
    if (trainsMatrix) trained(`${HEAD_MATRIX}.weight`, key);
    if (!trainsMatrix || replayed) {
      const name = trainsMatrix ? BASE_HEAD_MATRIX : HEAD_MATRIX;
      const inputs = await base.matrix(withoutWeight(key), this.#tableShape);
      for (const { suffix, tensor } of inputs) {
        binding.input(`${name}.${suffix}`, tensor);
      }
    }
    if (trainsNorm) {
      trained(`${FINAL_NORM}.weight`, FINAL_NORM_KEY);
    } else {
      const norm = withoutWeight(FINAL_NORM_KEY);
      const tensor = await base.floats(norm, [config.hiddenSize], dtype);
      binding.input(`${FINAL_NORM}.weight`, tensor);
    }
    return binding;
  }

  async #clear(x: Tensor, signal: AbortSignal | undefined): Promise<void> {
    const session = await this.#options.sessions.clearing(x.dtype);
    using binding = session.bind().input("x", x).output("y", x);
    await binding.run(signal);
  }

  async #weight(key: string, shape: readonly number[]): Promise<Tensor> {
    const { base, parameters } = this.#options;
    return parameters.has(key)
      ? parameters.tensor("values", key)
      : await base.table(withoutWeight(key), shape);
  }

  get #tableShape(): [number, number] {
    const { vocabularySize, hiddenSize } = this.#options.config;
    return [vocabularySize, hiddenSize];
  }

  #integers(values: Int32Array): Tensor {
    const data = BigInt64Array.from(values, BigInt);
    return this.#options.runtime.tensor(data, [data.length]);
  }
}

/** Yields the positions in chunks. */
function* chunks(
  { positions, targets }: LossTargets,
  length: number,
): Generator<LossTargets> {
  for (let start = 0; start < positions.length; start += length) {
    yield {
      positions: positions.subarray(start, start + length),
      targets: targets.subarray(start, start + length),
    };
  }
}

function withoutWeight(key: string): string {
  return key.replace(/\.weight$/, "");
}
