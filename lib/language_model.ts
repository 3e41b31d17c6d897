/**
 * The opened language model: tokenizer, vocabulary, engine and the recommended
 * settings of the checkpoint.
 *
 * @module
 */

import type { GenerationConfig } from "../models/config/generation_config.ts";
import type { LanguageConfig } from "../models/config/language_config.ts";
import { Engine } from "./engine/engine.ts";
import { cacheSize } from "./engine/cache_size.ts";
import type { CacheDtype } from "./runtime/provider.ts";
import type { NamedAdapter } from "./decoder/adapter_stack.ts";
import { openDecoder } from "./decoder/open_decoder.ts";
import type { Head } from "./engine/policy.ts";
import type { LanguageCheckpoint } from "./loading/checkpoint.ts";
import { kvScales } from "./calibration/kv_scales.ts";
import { openTextSide, type TextSide } from "./loading/text_files.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { type RunPhase, unreported } from "./loading_phase.ts";
import type { TextTokenizer } from "./text/text_tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A language model that can run requests. */
export interface LanguageModel {
  /** Name of its folder or repository. */
  readonly name: string;
  /** Configuration with the model's sizes. */
  readonly config: LanguageConfig;
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** The tokenizer. */
  readonly text: TextTokenizer;
  /** The vocabulary of special tokens and codes. */
  readonly vocabulary: Vocabulary;
  /** The engine that runs requests. */
  readonly engine: Pick<Engine, "run" | "contextLength" | "state">;
}

/** Options of {@linkcode openLanguageModel}. */
export interface LanguageModelOptions {
  /** Heads to load: codes to draw, the vocabulary to answer. */
  readonly heads: readonly Head[];
  /** Number of sequences that may run together, 2 or more. */
  readonly slots: number;
  /** Bytes that keys and values of all sequences may take together. */
  readonly cacheBytes: number;
  /** Type of keys and values; undefined to choose one by the memory. */
  readonly cacheDtype?: CacheDtype | undefined;
  /** Folder in which scales of an int8 cache are kept; undefined for none. */
  readonly scalesFolder?: string | undefined;
  /** The maximum number of tokens that one prefill takes. */
  readonly chunkLength: number;
  /** Maximum number of waiting requests of one caller. */
  readonly queueLimit: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
  /** Adapters that requests may select; none by default. */
  readonly adapters?: readonly NamedAdapter[];
  /** Callback for loading stages; undefined for none. */
  readonly runPhase?: RunPhase;
  /**
   * Checks the vocabulary before weights are loaded; an error ends the opening.
   */
  readonly accept?: (vocabulary: Vocabulary) => Promise<void>;
}

/** A language model with its resources, to be closed. */
export interface OpenedLanguageModel extends LanguageModel, AsyncDisposable {
  /**
   * Loads the parts that the first rows of a picture do not need; undefined if
   * all are loaded.
   */
  readonly finishLoading: (() => Promise<void>) | undefined;
  /** Properties of the KV cache that determine its memory. */
  readonly cache: {
    /** Type of keys and values. */
    readonly dtype: CacheDtype;
    /** Bytes that one token takes. */
    readonly tokenBytes: number;
  };
}

/**
 * Opens a checkpoint: loads text files, graphs and heads concurrently.
 *
 * @throws {CheckpointError} If a file is missing, invalid or unsafe.
 * @throws {RangeError} If `cacheBytes` is too small for one slot.
 */
export async function openLanguageModel(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  options: LanguageModelOptions,
): Promise<OpenedLanguageModel> {
  const { runPhase = unreported, accept, adapters = [] } = options;
  await using opened = new AsyncDisposableStack();
  const side = Promise.withResolvers<TextSide>();
  // Its encoder is built in a worker while weights are loaded.
  const ready = runPhase("tokenizer", async () => {
    side.resolve(await openTextSide(checkpoint));
    await (await side.promise).text.ready;
  });
  ready.catch(side.reject);
  const { text, vocabulary } = await side.promise;
  opened.use(text);
  await accept?.(vocabulary);
  const cache = cacheSize(checkpoint.config, runtime.provider, options);
  const cacheScales = cache.dtype === "int8"
    ? await runPhase("calibration", () => {
      const writer = { text, vocabulary };
      return kvScales(runtime, checkpoint, writer, options.scalesFolder);
    })
    : undefined;
  const decoder = await openDecoder(runtime, checkpoint, vocabulary, {
    slots: options.slots,
    contextLength: cache.positions,
    cacheDtype: cache.dtype,
    cacheScales,
    chunkLength: options.chunkLength,
    heads: options.heads,
    adapters,
    runPhase,
  });
  opened.use(decoder);
  const engine = new Engine(decoder, {
    queueLimit: options.queueLimit,
    cacheTokens: cache.tokens,
    now: options.now,
  });
  opened.use(engine);
  await ready;
  const closing = opened.move();
  return {
    name: checkpoint.name,
    config: checkpoint.config,
    generation: checkpoint.generation,
    text,
    vocabulary,
    engine,
    cache,
    finishLoading: decoder.isLoaded ? undefined : () => decoder.finishLoading(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
