/**
 * The description of a quantization: runs of equal jobs write equal files.
 *
 * @module
 */

import { resolve } from "node:path";
import { type QuantizedPrecision, type Recipe, RECIPES } from "./recipe.ts";
import { readSources, type SourceOnDisk } from "./source_files.ts";

/** Version of the layout of files and of the computation. */
const FORMAT_VERSION = 1;

/** A quantization of certain files. */
export interface QuantizationJob {
  /** Canonical text of the job. */
  readonly job: string;
  /** Files to read. */
  readonly sources: readonly SourceOnDisk[];
  /** Recipe of the quantization. */
  readonly recipe: Recipe;
}

/**
 * Returns the job of quantizing `source`.
 *
 * @throws {CheckpointError} If a file is missing or unsafe.
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
