/**
 * How each kind of model is opened, and warmed up so that the first request is
 * fast.
 *
 * @module
 */

import { answer, draw } from "../lib/emu3.ts";
import {
  fastestStrategy,
  type StrategyName,
  strategyOf,
} from "../lib/drawing/strategy.ts";
import type { CacheDtype } from "../lib/engine/kv_cache.ts";
import type { Head } from "../lib/engine/policy.ts";
import { CheckpointError } from "../lib/errors.ts";
import {
  type OpenedLanguageModel,
  openLanguageModel,
} from "../lib/language_model.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../lib/loading/checkpoint.ts";
import { openTextSide } from "../lib/loading/text_files.ts";
import {
  copiedWeightBytes,
  refuseUnfitting,
} from "../lib/loading/weight_memory.ts";
import type { Runtime } from "../lib/runtime/runtime.ts";
import { VisionTokenizer } from "../lib/vision/vision_tokenizer.ts";
import type { Held, Opener } from "./held.ts";
import type { Direction, Seat } from "./lineup.ts";
import type { ModelDetails, TextModel } from "./ports.ts";
import {
  openInPrecision,
  precisionOf,
  type PrecisionOptions,
} from "./precision.ts";

/** Tokens that one prefill takes: more are no faster, and block for longer. */
const CHUNK_LENGTH = 256;

/** A side of the warm-up picture, in codes. */
const WARM_SIDE = 2;

/** Codes that a warm-up draws: enough for a window, and for a last few. */
const WARM_WIDTH = 6;

/** A language model with what is listed of it. */
export interface ServedLanguage extends OpenedLanguageModel {
  /** What its files say. */
  readonly details: ModelDetails;
}

/** The text side of a language model that is not loaded. */
export interface ServedText extends TextModel, AsyncDisposable {}

/** How a language model runs. */
export interface LanguageOptions {
  /** Sequences decoded together. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** That the process may have. */
  readonly memoryBytes: number;
  /** For keys and values. */
  readonly cacheBytes: number;
  /** Their type; undefined for what the memory suggests. */
  readonly cacheDtype: CacheDtype | undefined;
  /** In which way it draws; undefined for what is fastest. */
  readonly strategy: StrategyName | undefined;
  /** In which format its weights are. */
  readonly weights: PrecisionOptions;
}

/** Opens the language model of `seat`, with the heads that it needs. */
export function languageOpener(
  runtime: Runtime,
  seat: Seat,
  vision: Held<VisionTokenizer>,
  options: LanguageOptions,
): Opener<ServedLanguage> {
  return async (phase) => {
    phase("open");
    const checkpoint = await openInPrecision(
      seat.language.folder,
      options.weights,
      () => phase("quantize"),
    );
    refuseOutOfMemory(runtime, checkpoint, seat, options.memoryBytes);
    phase("load");
    const strategy = options.strategy ?? fastestStrategy(checkpoint.codeBits);
    const heads: Head[] = [];
    if (seat.draws) heads.push("codes");
    if (seat.answers) heads.push("vocabulary");
    const model = await openLanguageModel(runtime, checkpoint, {
      ...options,
      heads,
      chunkLength: CHUNK_LENGTH,
      now: () => performance.now(),
    });
    try {
      checkCodebook(model, seat, (await vision.load()).codebookSize);
      phase("warm up");
      await warmLanguage(model, seat, strategy);
    } catch (error) {
      await model[Symbol.asyncDispose]();
      throw error;
    }
    const { config, generation, engine } = model;
    const details = {
      imageArea: config.imageArea,
      contextLength: engine.contextLength,
      examples: generation.examples,
      generation,
      precision: precisionOf(checkpoint),
      strategy,
    };
    return Object.assign(model, { details });
  };
}

/** Opens the text side alone. */
export function textOpener(seat: Seat): Opener<ServedText> {
  return async (phase) => {
    phase("open");
    const checkpoint = await openLanguageCheckpoint(seat.language.folder);
    const { text, vocabulary } = await openTextSide(checkpoint);
    const { name, config, generation } = checkpoint;
    return {
      name,
      config,
      generation,
      text,
      vocabulary,
      [Symbol.asyncDispose]: () => {
        text[Symbol.dispose]();
        return Promise.resolve();
      },
    };
  };
}

/** Opens a vision tokenizer, for one direction or both. */
export function visionOpener(
  runtime: Runtime,
  folder: string,
  directions: ReadonlySet<Direction>,
): Opener<VisionTokenizer> {
  return async (phase) => {
    phase("open");
    const checkpoint = await openVisionCheckpoint(folder);
    const vision = new VisionTokenizer(runtime, checkpoint);
    try {
      phase("load");
      for (const direction of directions) await vision.load(direction);
      phase("warm up");
      await warmVision(vision, directions);
    } catch (error) {
      await vision[Symbol.asyncDispose]();
      throw error;
    }
    return vision;
  };
}

/** Copies of weights must fit beside what the machine already holds. */
function refuseOutOfMemory(
  { provider }: Runtime,
  checkpoint: LanguageCheckpoint,
  { draws, answers }: Seat,
  memoryBytes: number,
): void {
  const { vocabularySize } = checkpoint.config;
  // Codes are a part of the vocabulary: counted as all of it, to be safe.
  const judged = (draws ? vocabularySize : 0) + (answers ? vocabularySize : 0);
  const needed = copiedWeightBytes(checkpoint, provider.computeDtype, judged);
  const { available } = Deno.systemMemoryInfo();
  // What the machine has free may be more than the container may have.
  refuseUnfitting(checkpoint, needed, Math.min(available, memoryBytes));
}

function checkCodebook(
  { vocabulary, name }: OpenedLanguageModel,
  { vision }: Seat,
  codebookSize: number,
): void {
  if (vocabulary.codebookSize === codebookSize) return;
  throw new CheckpointError(
    vision.folder,
    `its codebook has ${codebookSize} codes, language model "${name}" has tokens for ${vocabulary.codebookSize}: set VISION_MODEL to the tokenizer that it was trained with`,
  );
}

async function warmLanguage(
  model: OpenedLanguageModel,
  { draws, answers }: Seat,
  strategy: StrategyName,
): Promise<void> {
  const { signal } = new AbortController();
  const size = { height: 1, width: WARM_WIDTH };
  const sampling = { temperature: 0, topK: 0, topP: 1 };
  if (draws) {
    const scene = {
      prompt: "",
      negativePrompt: "",
      guidanceScale: 2,
      size,
      prefix: undefined,
      strategy: strategyOf(strategy),
      sampling,
      seed: 0,
      count: 1,
      logprobs: 0,
    };
    await Array.fromAsync(draw(model, scene, signal));
  }
  if (answers) {
    const question = {
      grids: [{ ...size, codes: new Uint16Array(WARM_WIDTH) }],
      question: "",
      template: model.generation.template,
      maxTokens: 2,
      stop: [],
      sampling,
      seed: 0,
    };
    await Array.fromAsync(answer(model, question, signal));
  }
}

async function warmVision(
  vision: VisionTokenizer,
  directions: ReadonlySet<Direction>,
): Promise<void> {
  const side = WARM_SIDE * vision.pixelsPerCode;
  if (directions.has("encode")) {
    const pixels = new Uint8ClampedArray(3 * side * side);
    await vision.encode({ height: side, width: side, pixels });
  }
  if (directions.has("decode")) {
    const codes = new Uint16Array(WARM_SIDE * WARM_SIDE);
    await vision.decode({ height: WARM_SIDE, width: WARM_SIDE, codes });
  }
}
