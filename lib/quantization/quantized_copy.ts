/**
 * The cache of quantized copies of checkpoints, made on demand.
 *
 * ```text
 * {cache}/{key}/{name}    key: hash of the source's weights, of the files
 *                         beside them, and of the recipe
 * ```
 *
 * @module
 */

import { basename, join } from "node:path";
import { delay } from "../async/delay.ts";
import { QuantizationBusyError, QuantizationError } from "../errors.ts";
import { modelName } from "../loading/hub_cache.ts";
import { quantizeCheckpoint } from "./quantize_checkpoint.ts";
import { keyOf, quantizationJob } from "./quantization_job.ts";
import type { QuantizedPrecision } from "./recipe.ts";

/** Options of {@linkcode quantizedCopy}. */
export interface CopyOptions {
  /** Precision of the copy. */
  readonly precision: QuantizedPrecision;
  /** Number of threads that compute. */
  readonly threads: number;
  /** Name and version of the program. */
  readonly program: string;
  /** Folder of copies; undefined for a temporary one. */
  readonly cacheFolder: string | undefined;
  /** Called with a message before a copy is made. */
  readonly warn: (line: string) => void;
}

/** Milliseconds between checks whether another process has finished. */
const BUSY_PAUSE_MS = 200;

/** Bytes of a source that a thread quantizes in a second, roughly. */
const BYTES_PER_SECOND = 5e7;

/**
 * Returns the folder of a copy of `source`, which has the same name. If several
 * processes need it at once, one makes it and the others wait.
 *
 * @throws {CheckpointError} If the source cannot be read.
 * @throws {QuantizationError} If it cannot be quantized, or the copy cannot be
 * written.
 */
export async function quantizedCopy(
  source: string,
  options: CopyOptions,
): Promise<string> {
  const { precision, threads, program, warn } = options;
  const { job, sources } = await quantizationJob(source, precision);
  const key = await keyOf(source, job);
  const name = modelName(source);
  if (options.cacheFolder !== undefined) {
    const kept = join(options.cacheFolder, key, name);
    if (await isCheckpoint(kept)) return kept;
  }
  const parent = await writableFolder(options.cacheFolder, key);
  const target = join(parent, name);
  const bytes = sources.reduce((sum, { size }) => sum + size, 0);
  const seconds = Math.ceil(bytes / BYTES_PER_SECOND / threads);
  warn(
    `Quantizing ${name} to ${precision} into ${target}, which takes about ${seconds} s; to do it once in advance, run "deno task quantize ${source} --precision ${precision} --out FOLDER"`,
  );
  for (;;) {
    try {
      const settings = { precision, threads, program };
      await Array.fromAsync(quantizeCheckpoint(source, target, settings));
      return target;
    } catch (error) {
      if (!(error instanceof QuantizationError)) throw error;
      // Another process that started at the same time finished first.
      if (await isCheckpoint(target)) return target;
      if (!(error instanceof QuantizationBusyError)) throw error;
    }
    // If the other process stops, this one resumes its work.
    await delay(BUSY_PAUSE_MS);
  }
}

/**
 * Returns the folder of the copy, or a temporary one if it cannot be created.
 */
async function writableFolder(
  cacheFolder: string | undefined,
  key: string,
): Promise<string> {
  if (cacheFolder !== undefined) {
    const folder = join(cacheFolder, key);
    try {
      await Deno.mkdir(folder, { recursive: true });
      await Deno.remove(await Deno.makeTempFile({ dir: folder }));
      return folder;
    } catch {
      // Read-only or full: a temporary folder is used.
    }
  }
  return await Deno.makeTempDir({ prefix: `${basename(key)}-` });
}

async function isCheckpoint(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(join(folder, "config.json"))).isFile;
  } catch {
    // It does not exist yet.
    return false;
  }
}
