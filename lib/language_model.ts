/**
 * A language model, opened: tokenizer, vocabulary, engine and what the
 * checkpoint recommends.
 *
 * @module
 */

import type { GenerationConfig } from "../models/config/generation_config.ts";
import type { LanguageConfig } from "../models/config/language_config.ts";
import { Engine } from "./engine/engine.ts";
import { cacheSize } from "./engine/cache_size.ts";
import type { CacheDtype } from "./decoder/kv_cache.ts";
import { openDecoder } from "./decoder/open_decoder.ts";
import type { Head } from "./engine/policy.ts";
import type { LanguageCheckpoint } from "./loading/checkpoint.ts";
import { openTextSide, type TextSide } from "./loading/text_files.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { type Stage, unwatched } from "./stage.ts";
import type { TextTokenizer } from "./text/text_tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A language model that can be asked. */
export interface LanguageModel {
  /** Name of its folder. */
  readonly name: string;
  /** Sizes. */
  readonly config: LanguageConfig;
  /** Recommended settings. */
  readonly generation: GenerationConfig;
  /** Text ⇄ tokens. */
  readonly text: TextTokenizer;
  /** Which token means what. */
  readonly vocabulary: Vocabulary;
  /** What runs requests. */
  readonly engine: Pick<Engine, "run" | "contextLength" | "state">;
}

/** How to open a language model. */
export interface LanguageModelOptions {
  /** What it will judge: codes to draw, the vocabulary to answer. */
  readonly heads: readonly Head[];
  /** Sequences that may run together, 2 or more. */
  readonly slots: number;
  /** Bytes that keys and values of all sequences may take together. */
  readonly cacheBytes: number;
  /** Their type; undefined for what the memory suggests. */
  readonly cacheDtype?: CacheDtype | undefined;
  /** Tokens that one prefill takes at most. */
  readonly chunkLength: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
  /** Is told what is done; undefined where nobody watches. */
  readonly stage?: Stage;
  /**
   * Looks at the vocabulary before weights are loaded; what it throws ends the
   * opening.
   */
  readonly accept?: (vocabulary: Vocabulary) => Promise<void>;
}

/** A language model and what must be closed with it. */
export interface OpenedLanguageModel extends LanguageModel, AsyncDisposable {
  /**
   * Loads what the first rows of a picture do without; undefined where nothing
   * is left.
   */
  readonly settle: (() => Promise<void>) | undefined;
  /** Keys and values, as far as their tokens are given memory. */
  readonly cache: {
    /** Their type. */
    readonly dtype: CacheDtype;
    /** Bytes that one token takes. */
    readonly tokenBytes: number;
  };
}

/**
 * Opens a checkpoint: text files, graphs and heads at once.
 *
 * @throws {CheckpointError} When something is missing, wrong or unsafe.
 * @throws {RangeError} When `cacheBytes` do not hold one slot of use.
 */
export async function openLanguageModel(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  options: LanguageModelOptions,
): Promise<OpenedLanguageModel> {
  const { stage = unwatched, accept } = options;
  await using opened = new AsyncDisposableStack();
  const side = Promise.withResolvers<TextSide>();
  // Its encoder is built in a worker while weights are loaded.
  const ready = stage("tokenizer", async () => {
    side.resolve(await openTextSide(checkpoint));
    await (await side.promise).text.ready;
  });
  ready.catch(side.reject);
  const { text, vocabulary } = await side.promise;
  opened.use(text);
  await accept?.(vocabulary);
  const cache = cacheSize(checkpoint.config, runtime.provider, options);
  const decoder = await openDecoder(runtime, checkpoint, vocabulary, {
    slots: options.slots,
    contextLength: cache.positions,
    cacheDtype: cache.dtype,
    chunkLength: options.chunkLength,
    heads: options.heads,
    stage,
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
    settle: decoder.isSettled ? undefined : () => decoder.settle(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
