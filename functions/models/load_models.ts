/**
 * The openers of each kind of model, with the warm-up that makes the first
 * request fast.
 *
 * @module
 */

import { answer, draw } from "../../lib/emu3.ts";
import { deviceStrategies } from "../../lib/drawing/device_strategies.ts";
import {
  type Strategy,
  type StrategyName,
  strategyOf,
} from "../../lib/drawing/strategy.ts";
import type { CacheDtype } from "../../lib/runtime/provider.ts";
import type { Head } from "../../lib/engine/policy.ts";
import { CheckpointError } from "../../lib/errors.ts";
import {
  type OpenedLanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { RunPhase } from "../../lib/loading_phase.ts";
import type { PictureCodec } from "../../lib/image/picture_codec.ts";
import {
  openPicturePool,
  type PicturePool,
} from "../../lib/image/threads/picture_pool.ts";
import {
  findVideoTools,
  type VideoTools,
} from "../../lib/image/video/video_tools.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import type { Vocabulary } from "../../lib/vocabulary.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { LazyResource, Opener } from "./lazy_resource.ts";
import type { Direction, PlannedModels } from "./model_plan.ts";
import { cacheShare, refuseOutOfMemory } from "./memory_check.ts";
import { adapterNames } from "./planned_adapters.ts";
import type { FunctionName } from "../schema/common.ts";
import type { ModelDetails, TextModel } from "./ports.ts";
import {
  openInPrecision,
  precisionOf,
  type PrecisionOptions,
} from "./precision.ts";

/** Tokens of one prefill chunk: more are no faster, and block for longer. */
const CHUNK_LENGTH = 256;

/** Side of the warm-up picture, in codes. */
const WARM_SIDE = 2;

/** Width of the warm-up drawing, in codes: a window and a remainder. */
const WARM_WIDTH = 6;

/**
 * Warm-up width without windows: all codes after the first take equal steps.
 */
const WARM_WIDTH_ALONE = 2;

/** A language model with its listed details. */
export interface ServedLanguage extends OpenedLanguageModel {
  /** Details that its files give. */
  readonly details: ModelDetails;
  /** Names of its adapters. */
  readonly adapters: readonly string[];
}

/** The text side of a language model that is not loaded. */
export interface ServedText extends TextModel, AsyncDisposable {}

/** Options of a running language model. */
export interface LanguageOptions {
  /** Sequences that are decoded together. */
  readonly slots: number;
  /** Limit of the requests that wait. */
  readonly queueLimit: number;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Bytes of the KV caches of all language models; undefined for a quarter. */
  readonly cacheBytes: number | undefined;
  /** Number of language models that share the cache bytes. */
  readonly models: number;
  /** Type of keys and values; undefined for a type that suits the memory. */
  readonly cacheDtype: CacheDtype | undefined;
  /** Strategy that pictures are drawn with; undefined for the fastest. */
  readonly strategy: StrategyName | undefined;
  /** Format that its weights are loaded in. */
  readonly weights: PrecisionOptions;
}

/** Parts that all models of a server share. */
export interface Shared {
  /** Checkpoints of all models, each opened once. */
  readonly checkpoints: Checkpoints;
  /** The runtime, opened while files are looked for. */
  readonly runtime: Promise<Runtime>;
}

/**
 * Returns an opener of the language model of `planned` with the needed heads.
 */
export function languageOpener(
  { runtime: opening, checkpoints, admitted }: Shared & {
    /** Resolves when the model may take memory. */
    readonly admitted: Promise<void>;
  },
  planned: PlannedModels,
  vision: LazyResource<VisionTokenizer>,
  options: LanguageOptions,
): Opener<ServedLanguage> {
  return async (runPhase) => {
    await admitted;
    const opened = () => checkpoints.language(planned.language.folder);
    const checkpoint = await openWatched(opened, options.weights, runPhase);
    const runtime = await opening;
    const cacheBytes = cacheShare(runtime, options);
    const limits = { memoryBytes: options.memoryBytes, cacheBytes };
    refuseOutOfMemory(runtime, checkpoint, planned, limits);
    const { provider } = runtime;
    const drawn = deviceStrategies(provider, checkpoint.codeBits, options);
    const heads: Head[] = [];
    if (planned.draws) heads.push("codes");
    if (planned.answers) heads.push("vocabulary");
    const model = await openLanguageModel(runtime, checkpoint, {
      ...options,
      cacheBytes,
      heads,
      adapters: planned.adapters ?? [],
      scalesFolder: options.weights.cacheFolder,
      chunkLength: CHUNK_LENGTH,
      now: () => performance.now(),
      runPhase,
      // Checked before the weights are read, which takes longest.
      accept: (vocabulary) =>
        checkPartner(vocabulary, checkpoint, planned, checkpoints),
    });
    try {
      // A picture takes both models; a failure carries its own reason.
      await vision.load();
      const drawing = strategyOf(drawn.strategy, drawn.window);
      await runPhase("warm up", () => warmLanguage(model, planned, drawing));
      // The model is ready before it settles; requests that end a row earlier
      // wait.
      if (model.finishLoading !== undefined) {
        runPhase("settle", model.finishLoading).catch(() => undefined);
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
      precision: precisionOf(checkpoint, provider.computeDtype),
      ...drawn,
    };
    return Object.assign(model, { details, adapters: adapterNames(planned) });
  };
}

async function openWatched(
  open: () => Promise<LanguageCheckpoint>,
  weights: PrecisionOptions,
  runPhase: RunPhase,
): Promise<LanguageCheckpoint> {
  const copied = Promise.withResolvers<void>();
  try {
    return await runPhase(
      "configuration",
      async () =>
        await openInPrecision(await open(), weights, () => {
          void runPhase("quantize", () => copied.promise);
        }),
    );
  } finally {
    copied.resolve();
  }
}

/** Returns an opener of the text side alone. */
export function textOpener(
  { checkpoints }: Pick<Shared, "checkpoints">,
  planned: PlannedModels,
): Opener<ServedText> {
  return async (runPhase) => {
    const checkpoint = await runPhase(
      "configuration",
      () => checkpoints.language(planned.language.folder),
    );
    const { text, vocabulary } = await runPhase(
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
      adapters: adapterNames(planned),
      [Symbol.asyncDispose]: () => {
        text[Symbol.dispose]();
        return Promise.resolve();
      },
    };
  };
}

/** Returns an opener of a vision tokenizer, for one direction or both. */
export function visionOpener(
  { runtime: opening, checkpoints }: Shared,
  place: Promise<string>,
  directions: ReadonlySet<Direction>,
): Opener<VisionTokenizer> {
  return async (runPhase) => {
    const folder = await place;
    const checkpoint = await runPhase(
      "configuration",
      () => checkpoints.vision(folder),
    );
    const runtime = await opening;
    const vision = new VisionTokenizer(runtime, checkpoint);
    try {
      await runPhase("weights", async () => {
        for (const direction of directions) await vision.load(direction);
      });
      await runPhase("warm up", () => warmVision(vision, directions));
    } catch (error) {
      await vision[Symbol.asyncDispose]();
      throw error;
    }
    return vision;
  };
}

/** Compares the files of both models, before weights are read. */
async function checkPartner(
  { codebookSize: tokens }: Pick<Vocabulary, "codebookSize">,
  { folder, name, generation: { clips } }: LanguageCheckpoint,
  { vision }: PlannedModels,
  checkpoints: Checkpoints,
): Promise<void> {
  const { config } = await checkpoints.vision(vision.folder);
  const { codebookSize, temporalFactor } = config;
  if (tokens !== codebookSize) {
    throw new CheckpointError(
      vision.folder,
      `its codebook has ${codebookSize} codes, but language model "${name}" has tokens for ${tokens}; set VISION_MODEL to the tokenizer that the model was trained with`,
    );
  }
  if (clips?.format === "paper" && clips.frames % temporalFactor !== 0) {
    throw new CheckpointError(
      folder,
      `video_frames is ${clips.frames} in generation_config.json; set it to a multiple of ${temporalFactor}, the frames per frame of codes`,
    );
  }
}

/**
 * Runs a small request of each kind; of a model that loads further after it,
 * whose runs take long, two tokens only, which take as long as one step.
 */
export async function warmLanguage(
  model: OpenedLanguageModel,
  { draws, answers }: Pick<PlannedModels, "draws" | "answers">,
  strategy: Strategy,
): Promise<void> {
  const { signal } = new AbortController();
  if (model.finishLoading !== undefined) {
    if (draws) await warmForward(model, "codes", signal);
    if (answers) await warmForward(model, "vocabulary", signal);
    return;
  }
  const width = strategy.name === "autoregressive"
    ? WARM_WIDTH_ALONE
    : WARM_WIDTH;
  const size = { height: 1, width };
  const sampling = { temperature: 0, topK: 0, topP: 1 };
  if (draws) {
    const params = {
      prompt: "",
      negativePrompt: "",
      // One row costs half a prompt, and runs the same graphs as two.
      guidanceScale: 1,
      size,
      prefix: undefined,
      strategy,
      sampling,
      seed: 0,
      count: 1,
      logprobs: 0,
    };
    await Array.fromAsync(draw(model, params, signal));
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

async function warmForward(
  { engine, vocabulary: { bos } }: OpenedLanguageModel,
  head: Head,
  signal: AbortSignal,
): Promise<void> {
  const prompt = { tokens: Int32Array.of(bos, bos), prefixBoundaries: [2] };
  const policy = { head, choose: () => undefined };
  await engine.run(
    { prompts: [prompt], maxNewTokens: 1, policy, long: false },
    signal,
  );
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

/** Finds the tools for videos that the functions of a server need. */
export async function openVideoTools(
  { ffmpeg, functions }: {
    readonly ffmpeg?: string;
    readonly functions: ReadonlySet<FunctionName>;
  },
): Promise<VideoTools> {
  const serves = (...names: FunctionName[]) =>
    names.some((name) => functions.has(name));
  return await findVideoTools(ffmpeg, {
    reads: serves("generate", "caption", "tokenize"),
    writes: serves("generate", "detokenize"),
  });
}

/** Opens the picture codec; its lost calls are logged. */
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
      if (how !== "abandoned") warn(`image codec: ${method} ${LOSSES[how]}`);
    },
  });
}

/** The causes of lost calls, for the log. */
const LOSSES = {
  crashed: "crashed its thread",
  late: "exceeded its CPU time and was terminated",
  stalled: "got no CPU time and was terminated",
};

/** Starts the thread that reads and writes pictures, with its codecs loaded. */
export async function warmCodec(codec: PictureCodec): Promise<void> {
  const pixels = new Uint8ClampedArray(3);
  const png = await codec.encodePng({ height: 1, width: 1, pixels }, {});
  await codec.decodeImage(png, { decode: "display", maxPixels: 1 });
}
