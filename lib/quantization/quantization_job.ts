/**
 * What is to be quantized and how, in full: two runs of equal jobs write equal
 * files.
 *
 * @module
 */

import { resolve } from "node:path";
import { type QuantizedPrecision, type Recipe, RECIPES } from "./recipe.ts";
import { readSources, type SourceOnDisk } from "./source_files.ts";

/** Of the layout of what is written and of how it is computed. */
const FORMAT_VERSION = 1;

/** A job. */
export interface QuantizationJob {
  /** Equal for equal jobs. */
  readonly job: string;
  /** What is read. */
  readonly sources: readonly SourceOnDisk[];
  /** What is done. */
  readonly recipe: Recipe;
}

/**
 * The job of quantizing `source`.
 *
 * @throws {CheckpointError} When a file is missing or unsafe.
 */
export async function quantizationJob(
  source: string,
  precision: QuantizedPrecision,
): Promise<QuantizationJob> {
  const sources = await readSources(source);
  const recipe = RECIPES[precision];
  const files = sources.map(({ path, size, modifiedMs }) => ({
    path: resolve(path),
    size,
    modifiedMs,
  }));
  const job = JSON.stringify({ version: FORMAT_VERSION, recipe, files });
  return { job, sources, recipe };
}
