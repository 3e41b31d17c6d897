/**
 * The {@linkcode Decoder} on a CPU.
 *
 * One cache, and a runner for each arrangement of rows: prompts (one row, many
 * tokens) and steps (many rows, one token) share a graph; steps in which some
 * rows have two tokens, and multi-token steps, have their own. Two head graphs
 * score codes or the whole vocabulary.
 *
 * @module
 */

import type { Arrangement } from "../../models/attention.ts";
import type { CacheScales } from "../../models/cache_scales.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { CacheDtype } from "../runtime/provider.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { GraphSession } from "../runtime/graph_session.ts";
import { type RunPhase, unreported } from "../loading_phase.ts";
import type { Decoder, Feed, MultiTokenRow } from "./decoder.ts";
import { DecoderSessions } from "./decoder_sessions.ts";
import { type CodeTokens, Heads } from "./heads.ts";
import { type CacheSnapshot, KvCache } from "./kv_cache.ts";
import { TwoTokenRunner } from "./two_token_runner.ts";
import type { Head } from "../engine/policy.ts";
import { inPairs, StepRunner } from "../engine/step_runner.ts";
import { AdapterStack, type NamedAdapter, stackFor } from "./adapter_stack.ts";
import { MultiTokenRunner } from "./multi_token_runner.ts";
import { PromptRunner } from "./prompt_runner.ts";

/** Options of {@linkcode OnnxDecoder.open}. */
export interface OnnxDecoderOptions {
  /** Number of sequences that may run together, 2 or more. */
  readonly slots: number;
  /** Number of tokens that a slot holds. */
  readonly contextLength: number;
  /** The maximum number of tokens that one prefill takes. */
  readonly chunkLength: number;
  /** Heads to load. */
  readonly heads: readonly Head[];
  /** Element type of keys and values. */
  readonly cacheDtype: CacheDtype;
  /** Scales of an int8 cache; undefined for other types. */
  readonly cacheScales?: CacheScales | undefined;
  /** Adapters that requests may select; none by default. */
  readonly adapters?: readonly NamedAdapter[];
  /** Number of parts to load side by side; by size and threads by default. */
  readonly parts?: number;
  /** Callback for loading stages; undefined for none. */
  readonly runPhase?: RunPhase;
}

/** A decoder that may load some parts after its first run. */
export interface LoadingDecoder extends AsyncDisposable {
  /** True if all parts that pictures need are loaded. */
  readonly isLoaded: boolean;
  /**
   * Loads the parts that are first needed at the end of a row of a picture.
   * Runs that need them earlier wait.
   */
  finishLoading(): Promise<void>;
}

/**
 * The size of weights up to which all graphs are loaded before the first run.
 * Packing larger ones for the second graph takes seconds, in which the first
 * rows can be drawn.
 */
const AT_ONCE_BYTES = 2 ** 30;

/** The arrangement of the prompt of a row with an adapter. */
const PROMPT: Arrangement = {
  type: "multi_token",
  rows: 1,
  explicitPositions: false,
};

/** An arrangement of rows of many sequences. */
type StepType = "step" | "two_token";

/** A language model on a CPU. */
export class OnnxDecoder implements Decoder<CacheSnapshot>, LoadingDecoder {
  readonly #runtime: Runtime;
  readonly #config: LanguageConfig;
  readonly #sessions: DecoderSessions;
  readonly #adapters: AdapterStack | undefined;
  readonly #heads: Heads;
  readonly #cache: KvCache;
  readonly #prompts: PromptRunner;
  readonly #steps: StepRunner;
  /** Undefined until first used. */
  #twoTokenSteps: Promise<TwoTokenRunner> | undefined;
  /** Runners of steps with adapters that have been used. */
  readonly #adaptedSteps = new Map<
    StepType,
    Promise<StepRunner | TwoTokenRunner>
  >();
  readonly #multiTokenSteps: MultiTokenRunner;
  readonly #resources = new DisposableStack();
  /** Number of tokens that each slot holds. */
  readonly #lengths: Int32Array;
  readonly #slots: number;
  readonly chunkLength: number;

  private constructor(
    runtime: Runtime,
    config: LanguageConfig,
    sessions: DecoderSessions,
    opened: {
      readonly step: GraphSession;
      readonly prompt: GraphSession | undefined;
      readonly heads: Heads;
      readonly adapters: AdapterStack | undefined;
    },
    options: OnnxDecoderOptions,
  ) {
    this.#runtime = runtime;
    this.#config = config;
    this.#sessions = sessions;
    this.#adapters = opened.adapters;
    this.#heads = this.#resources.use(opened.heads);
    const { hiddenSize } = config;
    const cache = this.#resources.use(
      new KvCache(runtime, config, {
        slots: inPairs(options.slots),
        positions: options.contextLength,
        dtype: options.cacheDtype,
      }),
    );
    this.#cache = cache;
    const parts = { runtime, cache, hiddenSize };
    this.#prompts = new PromptRunner({
      ...parts,
      config,
      session: opened.step,
      prompt: opened.prompt,
    });
    this.#steps = this.#resources.use(
      new StepRunner({ ...parts, session: opened.step }),
    );
    this.#multiTokenSteps = this.#resources.use(
      new MultiTokenRunner(
        runtime,
        sessions,
        cache,
        hiddenSize,
        opened.adapters,
      ),
    );
    this.#lengths = new Int32Array(inPairs(options.slots));
    this.#slots = options.slots;
    this.chunkLength = options.chunkLength;
  }

  /**
   * Builds the graphs of a checkpoint and loads them.
   *
   * @throws {CheckpointError} If a weight is missing or has another shape.
   * @throws {RuntimeError} If ONNX Runtime refuses a graph.
   */
  static async open(
    runtime: Runtime,
    checkpoint: LanguageCheckpoint,
    vocabulary: CodeTokens,
    options: OnnxDecoderOptions,
  ): Promise<OnnxDecoder> {
    const { config } = checkpoint;
    const adapters = await AdapterStack.load(runtime, options.adapters ?? []);
    const sessions = new DecoderSessions(runtime, checkpoint, {
      positions: options.contextLength,
      cacheDtype: options.cacheDtype,
      cacheScales: options.cacheScales,
      adapters,
      parts: options.parts,
    });
    try {
      const runPhase = options.runPhase ?? unreported;
      const twoTokens = options.heads.includes("codes");
      await runPhase("graphs", () => {
        sessions.prepare({ type: "step" });
        if (twoTokens) sessions.prepare({ type: "two_token" });
        return Promise.resolve();
      });
      const { step, prompt, heads } = await runPhase("weights", async () => {
        const step = await sessions.decoder({ type: "step" });
        const prompt = options.cacheDtype === "int8"
          ? await sessions.decoder({ type: "prompt" })
          : undefined;
        const headOptions = {
          config,
          vocabulary,
          heads: options.heads,
          own: adapters?.heads,
        };
        const heads = await Heads.open(runtime, sessions, headOptions);
        return { step, prompt, heads };
      });
      const opened = { step, prompt, heads, adapters };
      const given = [runtime, config, sessions, opened, options] as const;
      const decoder = new OnnxDecoder(...given);
      if (checkpoint.byteLength <= AT_ONCE_BYTES) {
        await runPhase("weights", () => decoder.finishLoading());
      }
      return decoder;
    } catch (error) {
      await sessions[Symbol.asyncDispose]();
      adapters?.[Symbol.dispose]();
      throw error;
    }
  }

  get isLoaded(): boolean {
    const adapted = this.#adapters === undefined ||
      this.#stepTypes.every((type) => this.#adaptedSteps.has(type));
    return adapted &&
      (this.#twoTokenSteps !== undefined || !this.#heads.has("codes"));
  }

  async finishLoading(): Promise<void> {
    if (this.#heads.has("codes")) await this.#twoTokenRunner();
    if (this.#adapters === undefined) return;
    for (const type of this.#stepTypes) {
      await this.#adaptedRunner(type, this.#adapters);
    }
    await this.#sessions.decoder(PROMPT, true);
  }

  get slots(): number {
    return this.#slots;
  }

  get contextLength(): number {
    return this.#cache.positions;
  }

  async prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
    adapter?: string,
  ): Promise<Float32Array<ArrayBuffer>> {
    const total = start + tokens.length;
    this.#assertFits(total);
    if (adapter !== undefined) {
      const row = { slot, tokens: [...tokens], position: start, adapter };
      const [hidden] = await this.multiTokenStep([row], signal);
      return hidden!;
    }
    const hidden = await this.#prompts.run(slot, tokens, start, signal);
    this.#lengths[slot] = total;
    return hidden;
  }

  async step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]> {
    for (const { position, tokens } of feeds) {
      this.#assertFits(position + tokens.length);
    }
    const twoTokens = feeds.some(({ tokens }) => tokens.length > 1);
    const adapters = stackFor(this.#adapters, feeds);
    const runner = adapters !== undefined
      ? await this.#adaptedRunner(twoTokens ? "two_token" : "step", adapters)
      : twoTokens
      ? await this.#twoTokenRunner()
      : this.#steps;
    const hidden = await runner.run(feeds, this.#lengths);
    for (const { slot, position, tokens } of feeds) {
      this.#lengths[slot] = position + tokens.length;
    }
    return hidden;
  }

  async multiTokenStep(
    rows: readonly MultiTokenRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    for (const { position, tokens } of rows) {
      this.#assertFits(position + tokens.length);
    }
    const hidden = await this.#multiTokenSteps.run(rows, signal);
    for (const { slot, position, tokens } of rows) {
      this.#lengths[slot] = position + tokens.length;
    }
    return hidden;
  }

  save(slot: number, tokens: number): Promise<CacheSnapshot> {
    return this.#cache.save(slot, tokens);
  }

  async restore(
    slot: number,
    snapshot: CacheSnapshot,
    tokens: number,
  ): Promise<void> {
    await this.#cache.restore(slot, snapshot, tokens);
    this.#lengths[slot] = tokens;
  }

  /**
   * Does nothing: snapshots are JavaScript values and are garbage-collected.
   */
  discard(_snapshot: CacheSnapshot): void {}

  async move(from: number, to: number, tokens: number): Promise<void> {
    await this.#cache.copy(from, to, tokens);
    this.#lengths[to] = tokens;
    this.release(from);
  }

  release(slot: number): void {
    this.#lengths[slot] = 0;
  }

  trim(slot: number): void {
    this.#cache.trim(slot);
  }

  logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
    adapters?: readonly (string | undefined)[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    return this.#heads.logits(head, hidden, adapters);
  }

  /** Closes the graphs and the cache. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Sessions wait for runs in flight, which still use tensors and cache.
    await this.#sessions[Symbol.asyncDispose]();
    this.#resources.dispose();
    this.#adapters?.[Symbol.dispose]();
  }

  /**
   * Arrangements of steps; `two_token` is needed only for the ends of picture
   * rows.
   */
  get #stepTypes(): readonly StepType[] {
    return this.#heads.has("codes") ? ["step", "two_token"] : ["step"];
  }

  #adaptedRunner(
    type: StepType,
    adapters: AdapterStack,
  ): Promise<StepRunner | TwoTokenRunner> {
    if (type === "two_token") this.#requireCodes();
    let runner = this.#adaptedSteps.get(type);
    if (runner === undefined) {
      const Runner = type === "step" ? StepRunner : TwoTokenRunner;
      runner = this.#sessions.decoder({ type }, true).then((session) =>
        this.#resources.use(
          new Runner({
            runtime: this.#runtime,
            cache: this.#cache,
            hiddenSize: this.#config.hiddenSize,
            session,
            adapters,
          }),
        )
      );
      this.#adaptedSteps.set(type, runner);
    }
    return runner;
  }

  #requireCodes(): void {
    if (this.#heads.has("codes")) return;
    throw new TypeError(
      "Cannot run two tokens: the head for codes is not loaded",
    );
  }

  #twoTokenRunner(): Promise<TwoTokenRunner> {
    this.#requireCodes();
    this.#twoTokenSteps ??= this.#sessions.decoder({ type: "two_token" }).then((
      session,
    ) =>
      this.#resources.use(
        new TwoTokenRunner({
          runtime: this.#runtime,
          cache: this.#cache,
          hiddenSize: this.#config.hiddenSize,
          session,
        }),
      )
    );
    return this.#twoTokenSteps;
  }

  #assertFits(tokens: number): void {
    if (tokens <= this.contextLength) return;
    throw new RangeError(
      `Cannot hold ${tokens} tokens: a slot has a capacity of ${this.contextLength}`,
    );
  }
}
