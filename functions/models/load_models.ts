/**
 * How each kind of model is opened, and warmed up so that the first request is
 * fast.
 *
 * @module
 */

import { answer, draw } from "../../lib/emu3.ts";
import {
  fastestStrategy,
  type StrategyName,
  strategyOf,
} from "../../lib/drawing/strategy.ts";
import type { CacheDtype } from "../../lib/decoder/kv_cache.ts";
import type { Head } from "../../lib/engine/policy.ts";
import { CheckpointError } from "../../lib/errors.ts";
import {
  type OpenedLanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { Stage } from "../../lib/stage.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import {
  openPicturePool,
  type PicturePool,
} from "../../lib/image/threads/picture_pool.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import type { LazyResource, Opener } from "./lazy_resource.ts";
import type { Direction, PlannedModels } from "./model_plan.ts";
import { cacheShare, refuseOutOfMemory } from "./memory_check.ts";
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

/** Where codes are drawn one by one, the second is drawn as all others are. */
const WARM_WIDTH_ALONE = 2;

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
  /** For keys and values of all language models; undefined for a quarter. */
  readonly cacheBytes: number | undefined;
  /** Language models that share them. */
  readonly models: number;
  /** Their type; undefined for what the memory suggests. */
  readonly cacheDtype: CacheDtype | undefined;
  /** In which way it draws; undefined for what is fastest. */
  readonly strategy: StrategyName | undefined;
  /** In which format its weights are. */
  readonly weights: PrecisionOptions;
}

/** What all models of a server share, once they are here. */
export interface Shared {
  /** Opened while files are looked for. */
  readonly runtime: Promise<Runtime>;
}

/** Opens the language model of `seat`, with the heads that it needs. */
export function languageOpener(
  { runtime: opening, admitted }: Shared & {
    /** Comes when it may take memory. */
    readonly admitted: Promise<void>;
  },
  seat: PlannedModels,
  vision: LazyResource<VisionTokenizer>,
  options: LanguageOptions,
): Opener<ServedLanguage> {
  return async (stage) => {
    await admitted;
    const checkpoint = await openWatched(seat, options.weights, stage);
    const runtime = await opening;
    const cacheBytes = cacheShare(runtime, options);
    const limits = { memoryBytes: options.memoryBytes, cacheBytes };
    refuseOutOfMemory(runtime, checkpoint, seat, limits);
    const strategy = options.strategy ??
      fastestStrategy(checkpoint.codeBits, runtime.device !== undefined);
    const heads: Head[] = [];
    if (seat.draws) heads.push("codes");
    if (seat.answers) heads.push("vocabulary");
    const model = await openLanguageModel(runtime, checkpoint, {
      ...options,
      cacheBytes,
      heads,
      chunkLength: CHUNK_LENGTH,
      now: () => performance.now(),
      stage,
      // Before the weights, which take longest.
      accept: (vocabulary) => checkCodebook(vocabulary, seat),
    });
    try {
      // A picture takes both; who failed says why.
      await vision.load();
      await stage("warm up", () => warmLanguage(model, seat, strategy));
      // Ready without it; who ends a row before it is done waits, and is told.
      if (model.settle !== undefined) {
        stage("settle", model.settle).catch(() => undefined);
      }
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
      precision: precisionOf(checkpoint, runtime.provider.computeDtype),
      strategy,
    };
    return Object.assign(model, { details });
  };
}

async function openWatched(
  { language }: PlannedModels,
  weights: PrecisionOptions,
  stage: Stage,
): Promise<LanguageCheckpoint> {
  const copied = Promise.withResolvers<void>();
  try {
    return await stage(
      "configuration",
      () =>
        openInPrecision(language.folder, weights, () => {
          void stage("quantize", () => copied.promise);
        }),
    );
  } finally {
    copied.resolve();
  }
}

/** Opens the text side alone. */
export function textOpener(seat: PlannedModels): Opener<ServedText> {
  return async (stage) => {
    const checkpoint = await stage(
      "configuration",
      () => openLanguageCheckpoint(seat.language.folder),
    );
    const { text, vocabulary } = await stage(
      "tokenizer",
      () => openTextSide(checkpoint),
    );
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
  { runtime: opening }: Shared,
  place: Promise<string>,
  directions: ReadonlySet<Direction>,
): Opener<VisionTokenizer> {
  return async (stage) => {
    const folder = await place;
    const checkpoint = await stage(
      "configuration",
      () => openVisionCheckpoint(folder),
    );
    const runtime = await opening;
    const vision = new VisionTokenizer(runtime, checkpoint);
    try {
      await stage("weights", async () => {
        for (const direction of directions) await vision.load(direction);
      });
      await stage("warm up", () => warmVision(vision, directions));
    } catch (error) {
      await vision[Symbol.asyncDispose]();
      throw error;
    }
    return vision;
  };
}

/** By the files of both, before either has read its weights. */
async function checkCodebook(
  { codebookSize: tokens }: Pick<Vocabulary, "codebookSize">,
  { language, vision }: PlannedModels,
): Promise<void> {
  const { config: { codebookSize } } = await openVisionCheckpoint(
    vision.folder,
  );
  if (tokens === codebookSize) return;
  throw new CheckpointError(
    vision.folder,
    `its codebook has ${codebookSize} codes, language model "${language.name}" has tokens for ${tokens}: set VISION_MODEL to the tokenizer that it was trained with`,
  );
}

async function warmLanguage(
  model: OpenedLanguageModel,
  { draws, answers }: PlannedModels,
  strategy: StrategyName,
): Promise<void> {
  const { signal } = new AbortController();
  const width = strategy === "autoregressive" ? WARM_WIDTH_ALONE : WARM_WIDTH;
  const size = { height: 1, width };
  const sampling = { temperature: 0, topK: 0, topP: 1 };
  if (draws) {
    const scene = {
      prompt: "",
      negativePrompt: "",
      // One row costs half a prompt, and runs what two run.
      guidanceScale: 1,
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
      grids: [{ ...size, codes: new Uint16Array(width) }],
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

/** Opens the picture codec; what it loses goes to the log. */
export function openCodec(
  { codecThreads, warn }: {
    readonly codecThreads?: number | undefined;
    readonly warn: (line: string) => void;
  },
): PicturePool {
  return openPicturePool({
    now: () => performance.now(),
    threads: codecThreads,
    onLoss: (method, how) => {
      if (how !== "abandoned") warn(`picture codec: ${method} ${LOSSES[how]}`);
    },
  });
}

/** The causes of lost calls, for the log. */
const LOSSES = {
  crashed: "made its thread crash",
  late: "took far more CPU time than its size explains and was ended",
  stalled: "got no CPU time and was ended",
};

/** Starts the thread that reads and writes pictures, and has it load codecs. */
export async function warmCodec(codec: PictureCodec): Promise<void> {
  const pixels = new Uint8ClampedArray(3);
  const png = await codec.encodePng({ height: 1, width: 1, pixels }, {});
  await codec.decodeImage(png, { decode: "display", maxPixels: 1 });
}
