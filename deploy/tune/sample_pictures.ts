/**
 * The sample pictures of a run: its prompts, drawn by the model so far, on one
 * sheet.
 *
 * The base is opened with the adapter as a server opens it, whatever the
 * precision of its weights; after full tuning a temporary checkpoint is. So
 * samples show exactly what will be served.
 *
 * @module
 */

import { draw } from "../../lib/emu3.ts";
import { BLOCK_TOKENS } from "../../lib/decoder/device_cache.ts";
import { cacheBytesPerToken } from "../../lib/decoder/kv_cache.ts";
import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { strategyOf } from "../../lib/drawing/strategy.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import type { RgbImage } from "../../lib/image/image.ts";
import {
  type LanguageModel,
  openLanguageModel,
} from "../../lib/language_model.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import {
  findVisionFolder,
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  openVisionCheckpoint,
  type VisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { deviceWeightBytes } from "../../lib/loading/weight_memory.ts";
import { trainedCount } from "../../lib/tuning/memory_plan.ts";
import type { TuningMethod } from "../../lib/tuning/method.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import { VisionTokenizer } from "../../lib/vision/vision_tokenizer.ts";
import { spatialFactor } from "../../models/config/vision_config.ts";
import { DTYPE_BYTES } from "../../models/graph/dtype.ts";
import { diskError, onDisk } from "../cache/base/disk.ts";
import { VISION_REMEDY } from "../prepare/locate_model.ts";
import { writeAdapter } from "./adapter_files.ts";
import { REMEDY } from "./safetensors_writer.ts";
import { writeFullyTuned } from "./tuned_checkpoint.ts";

/** The model whose samples are drawn. */
export interface SampledModel {
  /** Checkpoint that the run began with. */
  readonly base: LanguageCheckpoint;
  /** Vision tokenizer that decodes. */
  readonly vision: VisionCheckpoint;
  /** Trained parameters. */
  readonly parameters: Parameters;
  /** Method of tuning. */
  readonly method: TuningMethod;
  /** Seed of the pictures. */
  readonly seed: number;
  /** Folder of the temporary files, which is removed. */
  readonly scratch: string;
}

/** Name of the adapter in the model that draws. */
const ADAPTER = "sampled";

/** Rows that run together: those of a guided picture. */
const SLOTS = 2;

/** Least bytes for keys and values, so that small models keep their type. */
const LEAST_CACHE_BYTES = 2 ** 28;

/** Tokens of a prompt, with those around a picture. */
const PROMPT_TOKENS = 1024;

/** Side of a code in pixels, for the default size of pictures. */
const MIN_SIDE = 1;

/**
 * Opens the vision tokenizer of samples.
 *
 * @param folder Folder of it; undefined for the one beside the base.
 * @throws {CheckpointError} If there is none.
 */
export async function openSampleVision(
  { folder: base }: LanguageCheckpoint,
  folder: string | undefined,
): Promise<VisionCheckpoint> {
  return await openVisionCheckpoint(
    folder ?? await findVisionFolder(base, VISION_REMEDY),
  );
}

/** Returns a picture of each prompt. */
export async function samplePictures(
  runtime: Runtime,
  prompts: readonly string[],
  sampled: SampledModel,
  signal: AbortSignal,
): Promise<RgbImage[]> {
  const { base, scratch } = sampled;
  await removeFolder(scratch);
  try {
    await using opened = new AsyncDisposableStack();
    const vision = opened.use(new VisionTokenizer(runtime, sampled.vision));
    const { checkpoint, adapters } = await writeSampled(sampled);
    const side = sideOf(base, vision.pixelsPerCode);
    const model = opened.use(
      await openLanguageModel(runtime, checkpoint, {
        heads: ["codes"],
        slots: SLOTS,
        cacheBytes: cacheBytes(base, side, runtime),
        chunkLength: 512,
        queueLimit: 2 * prompts.length + SLOTS,
        now: () => performance.now(),
        adapters,
      }),
    );
    const pictures: RgbImage[] = [];
    for (const [index, prompt] of prompts.entries()) {
      const grid = await drawn(model, prompt, side, {
        seed: sampled.seed + index,
        adapter: adapters[0]?.name,
        signal,
      });
      pictures.push(await vision.decode(grid, signal));
    }
    return pictures;
  } finally {
    await removeFolder(scratch);
  }
}

/** Files of a model that are opened to draw. */
interface WrittenModel {
  readonly checkpoint: LanguageCheckpoint;
  readonly adapters: readonly NamedAdapter[];
}

/** Writes what was trained: an adapter for the base, or all weights. */
async function writeSampled(
  { base, parameters, method, scratch }: SampledModel,
): Promise<WrittenModel> {
  if (method.kind === "lora") {
    await makeFolder(scratch);
    await writeAdapter(scratch, parameters, method, base.name);
    const adapter = await openAdapter(scratch, base.config);
    return { checkpoint: base, adapters: [{ name: ADAPTER, adapter }] };
  }
  await writeFullyTuned(base, scratch, parameters);
  return { checkpoint: await openLanguageCheckpoint(scratch), adapters: [] };
}

/** Returns the bytes that a model takes while its samples are drawn. */
export function sampleBytes(
  { base, vision, method }: Pick<SampledModel, "base" | "vision" | "method">,
  runtime: Runtime,
): number {
  const { config } = base;
  const { computeDtype } = runtime.provider;
  const bytes = DTYPE_BYTES[computeDtype];
  const side = sideOf(base, spatialFactor(vision.config));
  // A CPU keeps a copy of an adapter that its kernels pack.
  const adapter = method.kind === "full"
    ? 0
    : 2 * trainedCount(config, method) * bytes;
  return deviceWeightBytes(base, computeDtype, config.vocabularySize) +
    adapter +
    vision.byteLength / DTYPE_BYTES[vision.storedDtype] * bytes +
    cacheBytes(base, side, runtime);
}

/** Returns the side of a sample, in codes. */
function sideOf({ config }: LanguageCheckpoint, pixelsPerCode: number): number {
  const side = Math.floor(Math.sqrt(config.imageArea) / pixelsPerCode);
  return Math.max(MIN_SIDE, side);
}

/** Returns the bytes of keys and values of one guided picture. */
function cacheBytes(
  { config }: LanguageCheckpoint,
  side: number,
  { provider: { cacheDtypes } }: Runtime,
): number {
  const row = Math.min(config.maxPositions, side * (side + 1) + PROMPT_TOKENS);
  // A device's slots grow by blocks, of which each may be almost empty.
  const tokens = SLOTS * row + (SLOTS + 1) * BLOCK_TOKENS;
  const token = Math.min(
    ...cacheDtypes.map((dtype) => cacheBytesPerToken(config, dtype)),
  );
  return Math.max(LEAST_CACHE_BYTES, tokens * token);
}

async function makeFolder(folder: string): Promise<void> {
  const make = () => Deno.mkdir(folder, { recursive: true });
  await onDisk(folder, make, REMEDY);
}

/** Removes a folder, also one that a killed run left. */
async function removeFolder(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw diskError(folder, error, REMEDY);
  }
}

async function drawn(
  model: LanguageModel,
  prompt: string,
  side: number,
  { seed, adapter, signal }: {
    readonly seed: number;
    readonly adapter: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<CodeGrid> {
  const { generation } = model;
  const events = draw(model, {
    prompt,
    adapter,
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
