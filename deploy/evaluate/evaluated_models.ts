/**
 * The models of an evaluation, opened as in a server.
 *
 * @module
 */

import { cacheBytesPerToken } from "../../lib/decoder/kv_cache.ts";
import { cacheSize } from "../../lib/engine/cache_size.ts";
import {
  adapterBytes,
  type NamedAdapter,
} from "../../lib/decoder/adapter_stack.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import { openPicturePool } from "../../lib/image/threads/picture_pool.ts";
import {
  type LanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import {
  copiedWeightBytes,
  deviceWeightBytes,
} from "../../lib/loading/weight_memory.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import { formatBytes } from "../cache/progress.ts";
import { EvaluationError } from "./evaluation_error.ts";

/** Concurrent sequences. */
export const SLOTS = 4;

/** Name that the adapter has in the model. */
export const ADAPTER = "evaluated";

/** Maximum tokens of one prefill. */
const CHUNK_LENGTH = 512;

/** Fraction of the memory for keys and values. */
const CACHE_SHARE = 1 / 4;

/** The machine of an evaluation. */
export interface EvaluationMachine {
  /** Runtime that computes. */
  readonly runtime: Runtime;
  /** Bytes of memory that the models may use. */
  readonly availableBytes: number;
  /** Number of cores to use. */
  readonly threads: number;
  /** Clock, in milliseconds. */
  readonly now: () => number;
}

/** A language model that is evaluated. */
export interface EvaluatedLanguage extends AsyncDisposable {
  /** The model. */
  readonly model: LanguageModel;
  /** Name of the adapter in it; undefined for none. */
  readonly adapter: string | undefined;
}

/**
 * Opens the language model in `folder`, with an adapter or without.
 *
 * @throws {CheckpointError} If either cannot be opened, or they do not fit.
 * @throws {EvaluationError} If the memory is too small for them.
 */
export async function openEvaluatedLanguage(
  folder: string,
  adapter: string | undefined,
  { runtime, availableBytes, now }: EvaluationMachine,
): Promise<EvaluatedLanguage> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { config } = checkpoint;
  const adapters = adapter === undefined
    ? []
    : [{ name: ADAPTER, adapter: await openAdapter(adapter, config) }];
  // More room than for the slots, so that keys and values keep their precision.
  const wanted = (SLOTS + 1) * config.maxPositions *
    cacheBytesPerToken(config, "float32");
  const cacheBytes = Math.min(wanted, Math.floor(availableBytes * CACHE_SHARE));
  requireMemory(
    weightBytes(checkpoint, adapters, runtime) + cacheBytes,
    availableBytes,
    checkpoint,
  );
  requireCache(config, runtime, cacheBytes);
  const model = await openLanguageModel(runtime, checkpoint, {
    heads: ["vocabulary"],
    slots: SLOTS,
    cacheBytes,
    chunkLength: CHUNK_LENGTH,
    queueLimit: 4 * SLOTS,
    now,
    adapters,
  });
  return {
    model,
    adapter: adapter && ADAPTER,
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

/** Returns the bytes of weights that are not mapped from their files. */
function weightBytes(
  checkpoint: LanguageCheckpoint,
  adapters: readonly NamedAdapter[],
  { provider: { computeDtype }, device }: Runtime,
): number {
  const onHost = device === undefined;
  const bytes = onHost ? copiedWeightBytes : deviceWeightBytes;
  return bytes(checkpoint, computeDtype, checkpoint.config.vocabularySize) +
    adapterBytes(adapters, computeDtype, onHost);
}

function requireMemory(
  neededBytes: number,
  availableBytes: number,
  { folder, codeBits }: LanguageCheckpoint,
): void {
  if (neededBytes <= availableBytes) return;
  const remedies = [
    ...codeBits === undefined
      ? ["quantize it to int8 or int4 (deno task quantize)"]
      : [],
    "free some memory",
    "use a machine with more",
  ];
  throw new EvaluationError(
    `${folder} takes ${
      formatBytes(neededBytes)
    } of memory with its cache, and ${
      formatBytes(availableBytes)
    } are available: ${remedies.join(", or ")}`,
  );
}

/** Refuses a cache that holds no sequence. */
function requireCache(
  config: LanguageConfig,
  { provider }: Runtime,
  cacheBytes: number,
): void {
  try {
    cacheSize(config, provider, { cacheBytes, slots: SLOTS });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EvaluationError(
      `the ${
        formatBytes(cacheBytes)
      } for keys and values hold no sequence: free some memory, or use a machine with more`,
      { cause },
    );
  }
}

/** The vision tokenizer and the codec of an evaluation. */
export interface EvaluatedVision extends AsyncDisposable {
  /** The vision tokenizer. */
  readonly vision: VisionTokenizer;
  /** The codec on its threads. */
  readonly codec: PictureCodec;
}

/**
 * Opens the vision tokenizer in `folder`.
 *
 * @throws {CheckpointError} If it cannot be opened.
 */
export async function openEvaluatedVision(
  folder: string,
  { runtime, threads, now }: EvaluationMachine,
): Promise<EvaluatedVision> {
  await using opened = new AsyncDisposableStack();
  const codec = opened.use(openPicturePool({ now, threads }));
  const checkpoint = await openVisionCheckpoint(folder);
  const vision = opened.use(new VisionTokenizer(runtime, checkpoint));
  const closing = opened.move();
  return {
    vision,
    codec,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
