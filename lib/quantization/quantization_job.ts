/**
 * The description of a quantization: runs of equal jobs write equal files.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { sidecarFingerprint } from "./sidecar_files.ts";
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
  const files = described(sources);
  const job = JSON.stringify({ version: FORMAT_VERSION, recipe, files });
  return { job, sources, recipe };
}

/**
 * Returns the key of a result that is computed from `source`: a hash of its
 * weight files by path, size and time, of the files beside them, and of `how`
 * the result is computed.
 *
 * @throws {CheckpointError} If a file is missing or unsafe.
 */
export async function resultKey(source: string, how: string): Promise<string> {
  const files = described(await readSources(source));
  return await keyOf(source, JSON.stringify({ how, files }));
}

/** Returns a hash of a job and of the files beside the weights of `source`. */
export async function keyOf(source: string, job: string): Promise<string> {
  return createHash("sha256").update(job)
    .update(await sidecarFingerprint(source)).digest("hex").slice(0, 16);
}

function described(sources: readonly SourceOnDisk[]) {
  return sources.map(({ path, size, modifiedMs }) => ({
    path: resolve(path),
    size,
    modifiedMs,
  }));
}
