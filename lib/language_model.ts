/**
 * A language model, opened: tokenizer, vocabulary, engine and what the
 * checkpoint recommends.
 *
 * @module
 */

import type { GenerationConfig } from "../models/config/generation_config.ts";
import type { LanguageConfig } from "../models/config/language_config.ts";
import type { Head } from "./engine/decoder.ts";
import { Engine } from "./engine/engine.ts";
import { cacheBytesPerToken } from "./engine/kv_cache.ts";
import { OnnxDecoder } from "./engine/onnx_decoder.ts";
import type { LanguageCheckpoint } from "./loading/checkpoint.ts";
import { openTextSide } from "./loading/text_files.ts";
import type { Runtime } from "./runtime/runtime.ts";
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
  readonly engine: Pick<
    Engine,
    "run" | "contextLength" | "waiting" | "running"
  >;
}

/** How to open a language model. */
export interface LanguageModelOptions {
  /** What it will judge: codes to draw, the vocabulary to answer. */
  readonly heads: readonly Head[];
  /** Sequences that may run together, 2 or more. */
  readonly slots: number;
  /** Bytes that keys and values may take. */
  readonly cacheBytes: number;
  /** Tokens that one prefill takes at most. */
  readonly chunkLength: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** A language model and what must be closed with it. */
export interface OpenedLanguageModel extends LanguageModel, AsyncDisposable {}

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
  const { text, vocabulary } = await openTextSide(checkpoint);
  const decoder = await OnnxDecoder.open(runtime, checkpoint, vocabulary, {
    slots: options.slots,
    contextLength: contextLength(checkpoint.config, options),
    chunkLength: options.chunkLength,
    heads: options.heads,
  });
  const engine = new Engine(decoder, options);
  await text.ready;
  return {
    name: checkpoint.name,
    config: checkpoint.config,
    generation: checkpoint.generation,
    text,
    vocabulary,
    engine,
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await decoder[Symbol.asyncDispose]();
      text[Symbol.dispose]();
    },
  };
}

/** What the model was trained for, or what the memory holds. */
function contextLength(
  config: LanguageConfig,
  { slots, cacheBytes }: LanguageModelOptions,
): number {
  const held = Math.floor(cacheBytes / slots / cacheBytesPerToken(config));
  if (held < 1) {
    throw new RangeError(
      `Cannot keep ${slots} sequences in ${cacheBytes} bytes: one token takes ${
        cacheBytesPerToken(config)
      }, raise KV_BYTES or lower SLOTS`,
    );
  }
  return Math.min(config.maxPositions, held);
}
