/**
 * The {@linkcode Decoder} on ONNX Runtime.
 *
 * One decoder graph serves prompts (one row, many tokens) and steps (many rows,
 * one token); two head graphs judge codes or the whole vocabulary. Everything a
 * run touches is allocated when the model opens.
 *
 * @module
 */

import { decoderGraph, headGraph } from "../../models/decoder.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Binding, Session } from "../runtime/session.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { type Decoder, type Feed, type Head, MIN_ROWS } from "./decoder.ts";
import { KvCache } from "./kv_cache.ts";
import { HeadRunner } from "./head_runner.ts";

/** How to open a decoder. */
export interface OnnxDecoderOptions {
  /** Sequences that may run together, 2 or more. */
  readonly slots: number;
  /** Tokens that a slot holds. */
  readonly contextLength: number;
  /** Tokens that one prefill takes at most. */
  readonly chunkLength: number;
  /** Heads to load. */
  readonly heads: readonly Head[];
}

/** What a step of some rows reads and writes. */
interface StepBuffers {
  readonly binding: Binding;
  /** `[B, 1]` */
  readonly ids: BigInt64Array<ArrayBuffer>;
  /** `[B]` */
  readonly seqlens: Int32Array<ArrayBuffer>;
  /** `[]` */
  readonly total: Int32Array<ArrayBuffer>;
  /** `[B, 1, E]` */
  readonly hidden: Float32Array<ArrayBuffer>;
}

/** A language model on ONNX Runtime. */
export class OnnxDecoder implements Decoder, AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #config: LanguageConfig;
  readonly #session: Session;
  readonly #heads: ReadonlyMap<Head, HeadRunner>;
  readonly #cache: KvCache;
  readonly #resources = new DisposableStack();
  readonly #steps = new Map<number, StepBuffers>();
  /** Tokens that each slot holds. */
  readonly #lengths: Int32Array;
  readonly chunkLength: number;

  private constructor(
    runtime: Runtime,
    config: LanguageConfig,
    session: Session,
    heads: ReadonlyMap<Head, HeadRunner>,
    options: OnnxDecoderOptions,
  ) {
    this.#runtime = runtime;
    this.#config = config;
    this.#session = session;
    this.#heads = heads;
    this.#cache = this.#resources.use(
      new KvCache(runtime, config, options.slots, options.contextLength),
    );
    this.#lengths = new Int32Array(options.slots);
    this.chunkLength = options.chunkLength;
  }

  /**
   * Builds the graphs of a checkpoint and loads them.
   *
   * @throws {CheckpointError} When a weight is missing or has another shape.
   * @throws {RuntimeError} When ONNX Runtime refuses a graph.
   */
  static async open(
    runtime: Runtime,
    checkpoint: LanguageCheckpoint,
    vocabulary: Pick<Vocabulary, "firstCode" | "codebookSize">,
    options: OnnxDecoderOptions,
  ): Promise<OnnxDecoder> {
    const { config, weights, weightFolder } = checkpoint;
    const { computeDtype } = runtime.provider;
    // Weights that are cast are copied anyway; then let kernels arrange the copy
    // for speed. Others stay mapped.
    const prepack = checkpoint.storedDtype !== computeDtype;
    const sessionOptions = { weightFolder, prepack };
    const { model } = decoderGraph(config, weights, {
      computeDtype,
      positions: options.contextLength,
    });
    const heads = new Map<Head, HeadRunner>();
    const session = await runtime.session(model, sessionOptions);
    for (const head of options.heads) {
      const rows = head === "codes"
        ? { start: vocabulary.firstCode, count: vocabulary.codebookSize }
        : { start: 0, count: config.vocabularySize };
      const graph = headGraph(config, weights, { computeDtype, rows });
      heads.set(
        head,
        new HeadRunner(
          runtime,
          await runtime.session(graph.model, sessionOptions),
          config.hiddenSize,
          rows.count,
        ),
      );
    }
    return new OnnxDecoder(runtime, config, session, heads, options);
  }

  get slots(): number {
    return this.#cache.slots;
  }

  get contextLength(): number {
    return this.#cache.positions;
  }

  async prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { hiddenSize } = this.#config;
    const length = tokens.length;
    const total = start + length;
    if (total > this.contextLength) {
      throw new RangeError(
        `Cannot prefill: ${total} tokens do not fit into ${this.contextLength}`,
      );
    }
    using stack = new DisposableStack();
    const binding = stack.use(this.#session.bind());
    const tensor = (
      data: BigInt64Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
      shape: number[],
    ) => stack.use(this.#runtime.tensor(data, shape));
    const hidden = new Float32Array(length * hiddenSize);
    binding.input(
      "input_ids",
      tensor(BigInt64Array.from(tokens, BigInt), [1, length]),
    );
    binding.input("seqlens_k", tensor(Int32Array.of(total - 1), [1]));
    binding.input("total_sequence_length", tensor(Int32Array.of(total), []));
    binding.output(
      "hidden",
      stack.use(this.#runtime.tensor(hidden, [1, length, hiddenSize])),
    );
    this.#cache.bind(binding, slot, 1);
    await binding.run(signal);
    this.#lengths[slot] = total;
    return hidden;
  }

  async step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]> {
    const { hiddenSize } = this.#config;
    const highest = Math.max(...feeds.map(({ slot }) => slot));
    const rows = Math.max(MIN_ROWS, highest + 1);
    const buffers = this.#stepBuffers(rows);
    buffers.ids.fill(0n);
    // A slot that has no token now still takes part. It writes where its next
    // token will be, which nobody reads before that token is there.
    for (let slot = 0; slot < rows; slot++) {
      const free = Math.min(this.#lengths[slot]!, this.contextLength - 1);
      buffers.seqlens[slot] = free;
    }
    for (const { slot, token, position } of feeds) {
      buffers.ids[slot] = BigInt(token);
      buffers.seqlens[slot] = position;
    }
    buffers.total[0] = Math.max(...buffers.seqlens) + 1;
    await buffers.binding.run();
    for (const { slot, position } of feeds) this.#lengths[slot] = position + 1;
    return feeds.map(({ slot }) =>
      buffers.hidden.subarray(slot * hiddenSize, (slot + 1) * hiddenSize)
    );
  }

  release(slot: number): void {
    this.#lengths[slot] = 0;
  }

  async logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const runner = this.#heads.get(head);
    if (runner === undefined) {
      throw new TypeError(`Cannot judge ${head}: that head is not loaded`);
    }
    return await runner.run(hidden);
  }

  /** Closes graphs and cache. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
    for (const head of this.#heads.values()) await head[Symbol.asyncDispose]();
    this.#resources.dispose();
  }

  #stepBuffers(rows: number): StepBuffers {
    let buffers = this.#steps.get(rows);
    if (buffers === undefined) {
      buffers = this.#makeStepBuffers(rows);
      this.#steps.set(rows, buffers);
    }
    return buffers;
  }

  #makeStepBuffers(rows: number): StepBuffers {
    const { hiddenSize } = this.#config;
    const buffers = {
      binding: this.#session.bind(),
      ids: new BigInt64Array(rows),
      seqlens: new Int32Array(rows),
      total: new Int32Array(1),
      hidden: new Float32Array(rows * hiddenSize),
    };
    const { binding } = buffers;
    const tensor = (
      data: Parameters<Runtime["tensor"]>[0],
      shape: readonly number[],
    ) => this.#resources.use(this.#runtime.tensor(data, shape));
    binding.input("input_ids", tensor(buffers.ids, [rows, 1]));
    binding.input("seqlens_k", tensor(buffers.seqlens, [rows]));
    binding.input("total_sequence_length", tensor(buffers.total, []));
    binding.output("hidden", tensor(buffers.hidden, [rows, 1, hiddenSize]));
    this.#cache.bind(binding, 0, rows);
    return buffers;
  }
}
