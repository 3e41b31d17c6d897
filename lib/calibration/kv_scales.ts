/**
 * The scales of an int8 KV cache: those that the checkpoint's folder or a cache
 * holds, else calibrated on drafts of pictures.
 *
 * @module
 */

import { join } from "node:path";
import type { CacheScales } from "../../models/cache_scales.ts";
import { kvScalesJson, parseKvScales } from "../../models/config/kv_scales.ts";
import type { LanguageConfig } from "../../models/config/language_config.ts";
import { calibrateCache, type DraftPrompt } from "./calibrate_cache.ts";
import { keptScales } from "./kept_scales.ts";
import { gridLength } from "../grid.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import { parseJsonFile } from "../loading/json_file.ts";
import { writePlainFile } from "../loading/plain_file.ts";
import { drawingPrompt, type PromptWriter } from "../prompt.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Name of the file of scales in a checkpoint's folder. */
const FILE = "kv_cache_scales.json";

/** Prompts of the drafts: a guided picture has one with and one without text. */
const PROMPTS = ["a cat in a garden, a red house and two trees behind it", ""];

/** The maximum number of rows of a draft, and of codes in a row. */
const MAX_SIDE = 16;

/**
 * Returns the scales of a checkpoint: those of its folder, else those kept in
 * `cacheFolder`, else calibrated, which takes a few prefills of some 300 tokens.
 *
 * @throws {CheckpointError} If the folder's file is invalid, or a weight is
 * missing.
 */
export async function kvScales(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  writer: PromptWriter,
  cacheFolder?: string,
): Promise<CacheScales> {
  const { config, folder } = checkpoint;
  const calibrate = () => calibrateScales(runtime, checkpoint, writer);
  const stored = await parseJsonFile(
    join(folder, FILE),
    (json) => json === false ? undefined : parseKvScales(json, config),
    false,
  );
  if (stored !== undefined) return stored;
  return cacheFolder === undefined
    ? await calibrate()
    : await keptScales(checkpoint, cacheFolder, calibrate);
}

/** Calibrates the scales of a checkpoint and writes them into its folder. */
export async function writeKvScales(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  writer: PromptWriter,
): Promise<void> {
  const scales = await calibrateScales(runtime, checkpoint, writer);
  const bytes = new TextEncoder().encode(kvScalesJson(scales));
  await writePlainFile(join(checkpoint.folder, FILE), bytes);
}

async function calibrateScales(
  runtime: Runtime,
  checkpoint: LanguageCheckpoint,
  writer: PromptWriter,
): Promise<CacheScales> {
  const prompts: DraftPrompt[] = [];
  for (const prompt of PROMPTS) {
    prompts.push(await draftPrompt(writer, prompt, checkpoint.config));
  }
  const { vocabulary } = writer;
  return await calibrateCache(runtime, checkpoint, vocabulary, prompts);
}

/** Returns the prompt of the largest draft that the model's context holds. */
async function draftPrompt(
  writer: PromptWriter,
  prompt: string,
  { maxPositions }: LanguageConfig,
): Promise<DraftPrompt> {
  for (let side = MAX_SIDE;; side--) {
    const size = { height: side, width: side };
    const tokens = await drawingPrompt(writer, prompt, size);
    const fits = tokens.length + gridLength(size) <= maxPositions;
    if (fits || side === 1) return { tokens, ...size };
  }
}
