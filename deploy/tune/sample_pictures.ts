/**
 * The sample pictures of a run: its prompts, drawn by the model so far, on one
 * sheet.
 *
 * A temporary checkpoint with the trained values is opened as a server would
 * open it, so that samples show exactly what will be served.
 *
 * @module
 */

import { draw } from "../../lib/emu3.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import {
  type LanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import {
  findVisionFolder,
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { weightCount } from "../../lib/tuning/memory_plan.ts";
import type { TuningMethod } from "../../lib/tuning/method.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { DTYPE_BYTES } from "../../models/graph/dtype.ts";
import { mergedValues } from "./merged_values.ts";
import { writeTunedCheckpoint } from "./tuned_checkpoint.ts";

/** The model whose samples are drawn. */
export interface SampledModel {
  /** Checkpoint that the run began with. */
  readonly base: LanguageCheckpoint;
  /** Trained parameters. */
  readonly parameters: Parameters;
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** Seed of the pictures. */
  readonly seed: number;
  /** Folder of the temporary checkpoint, which is removed. */
  readonly scratch: string;
}

/** Bytes of keys and values of all samples together. */
const CACHE_BYTES = 2 ** 28;

/** Sequences that run together; a guided picture takes two. */
const SLOTS = 8;

/** Side of a code in pixels, for the default size of pictures. */
const MIN_SIDE = 1;

/** Returns a picture of each prompt. */
export async function samplePictures(
  runtime: Runtime,
  prompts: readonly string[],
  sampled: SampledModel,
  signal: AbortSignal,
): Promise<RgbImage[]> {
  const { base, parameters, method, scratch: folder } = sampled;
  await removeFolder(folder);
  try {
    const { keys, replacement } = await mergedValues(base, parameters, method);
    await writeTunedCheckpoint(base, folder, keys, replacement);
    await using opened = new AsyncDisposableStack();
    const vision = opened.use(
      new VisionTokenizer(
        runtime,
        await openVisionCheckpoint(await findVisionFolder(base.folder)),
      ),
    );
    const model = opened.use(
      await openLanguageModel(runtime, await openLanguageCheckpoint(folder), {
        heads: ["codes"],
        slots: SLOTS,
        cacheBytes: CACHE_BYTES,
        chunkLength: 512,
        queueLimit: 2 * prompts.length + SLOTS,
        now: () => performance.now(),
      }),
    );
    const side = Math.max(
      MIN_SIDE,
      Math.floor(Math.sqrt(base.config.imageArea) / vision.pixelsPerCode),
    );
    const pictures: RgbImage[] = [];
    for (const [index, prompt] of prompts.entries()) {
      const grid = await drawn(model, prompt, side, {
        seed: sampled.seed + index,
        signal,
      });
      pictures.push(await vision.decode(grid, signal));
    }
    return pictures;
  } finally {
    await removeFolder(folder);
  }
}

/** Returns the bytes that a model takes while its samples are drawn. */
export function sampleBytes(
  { config }: LanguageCheckpoint,
  runtime: Runtime,
): number {
  const { computeDtype } = runtime.provider;
  return weightCount(config) * DTYPE_BYTES[computeDtype] + CACHE_BYTES;
}

/** Removes a folder, also one that a killed run left. */
async function removeFolder(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function drawn(
  model: LanguageModel,
  prompt: string,
  side: number,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<CodeGrid> {
  const { generation } = model;
  const events = draw(model, {
    prompt,
    negativePrompt: generation.negativePrompt ?? "",
    guidanceScale: generation.guidanceScale ?? 1,
    size: { height: side, width: side },
    prefix: undefined,
    strategy: strategyOf("autoregressive"),
    sampling: {
      temperature: generation.temperature ?? 1,
      topK: generation.topK ?? 2048,
      topP: generation.topP ?? 1,
    },
    seed,
    count: 1,
    logprobs: 0,
  }, signal);
  let grid: CodeGrid | undefined;
  for await (const event of events) {
    if (event.type === "grid") grid = event.grid;
  }
  return grid!;
}

/**
 * Returns pictures of one size side by side, in rows of at most `columns`, with
 * white gaps.
 */
export function contactSheet(
  pictures: readonly RgbImage[],
  columns: number,
): RgbImage {
  const gap = 4;
  const across = Math.min(columns, pictures.length);
  const down = Math.ceil(pictures.length / across);
  const cellHeight = Math.max(...pictures.map(({ height }) => height)) + gap;
  const cellWidth = Math.max(...pictures.map(({ width }) => width)) + gap;
  const height = down * cellHeight + gap;
  const width = across * cellWidth + gap;
  const pixels = new Uint8ClampedArray(height * width * 3).fill(255);
  for (const [index, picture] of pictures.entries()) {
    const top = Math.floor(index / across) * cellHeight + gap;
    const left = (index % across) * cellWidth + gap;
    for (let y = 0; y < picture.height; y++) {
      const row = picture.pixels.subarray(
        y * picture.width * 3,
        (y + 1) * picture.width * 3,
      );
      pixels.set(row, ((top + y) * width + left) * 3);
    }
  }
  return { height, width, pixels };
}
