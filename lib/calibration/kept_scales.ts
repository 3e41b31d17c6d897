/**
 * The scales that an earlier start has calibrated, in a cache folder:
 *
 * ```text
 * {cache}/kv_scales/{key}.json    key: hash of the weights, of the files beside
 *                                 them, and of the version of the calibration
 * ```
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { CacheScales } from "../../models/cache_scales.ts";
import { kvScalesJson, parseKvScales } from "../../models/config/kv_scales.ts";
import { CheckpointError } from "../errors.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import { parseJsonFile } from "../loading/json_file.ts";
import { writeWholeFile } from "../loading/whole_file.ts";
import { resultKey } from "../quantization/quantization_job.ts";

/** The version of the calibration; another one computes other scales. */
const CALIBRATION = "kv scales 1";

/**
 * Returns the scales in `cacheFolder`, else those of `calibrate`, which are
 * kept there for the next start.
 *
 * @throws {CheckpointError} If a file of the checkpoint is missing or unsafe.
 */
export async function keptScales(
  { folder, config }: Pick<LanguageCheckpoint, "folder" | "config">,
  cacheFolder: string,
  calibrate: () => Promise<CacheScales>,
): Promise<CacheScales> {
  const key = await resultKey(folder, CALIBRATION);
  const path = join(cacheFolder, "kv_scales", `${key}.json`);
  const kept = await readKept(path, (json) => parseKvScales(json, config));
  if (kept !== undefined) return kept;
  const scales = await calibrate();
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeWholeFile(path, kvScalesJson(scales));
  } catch {
    // Read-only or full: the next start calibrates again.
  }
  return scales;
}

async function readKept(
  path: string,
  parse: (json: unknown) => CacheScales,
): Promise<CacheScales | undefined> {
  try {
    const read = (json: unknown) => json === false ? undefined : parse(json);
    return await parseJsonFile(path, read, false);
  } catch (error) {
    // A damaged file is replaced.
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}
