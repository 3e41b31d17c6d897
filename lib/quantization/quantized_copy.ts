/**
 * The cached quantized copy of a checkpoint, made on demand and reused.
 *
 * ```text
 * {cache}/{key}/{name}    key: of the source's weights, of the content of the
 *                         files beside them, and of the recipe
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { delay } from "../async/delay.ts";
import { QuantizationBusyError, QuantizationError } from "../errors.ts";
import { modelName } from "../loading/hub_cache.ts";
import { sidecarFingerprint } from "./sidecar_files.ts";
import { quantizeCheckpoint } from "./quantize_checkpoint.ts";
import { quantizationJob } from "./quantization_job.ts";
import type { QuantizedPrecision } from "./recipe.ts";

/** Options of {@linkcode quantizedCopy}. */
export interface CopyOptions {
  /** Precision of the copy. */
  readonly precision: QuantizedPrecision;
  /** Number of threads that compute. */
  readonly threads: number;
  /** Name and version of the program. */
  readonly program: string;
  /** Folder of copies; undefined if nothing can be kept. */
  readonly cacheFolder: string | undefined;
  /** Called once, before a copy is made. */
  readonly warn: (line: string) => void;
}

/** Milliseconds between checks if another process is done. */
const BUSY_PAUSE_MS = 200;

/** Bytes of a source that a thread quantizes in a second, roughly. */
const BYTES_PER_SECOND = 5e7;

/**
 * Returns the folder of a copy of `source`, which has the same name. Of several
 * processes that need it at once one makes it, and the others wait.
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
  const key = createHash("sha256").update(job)
    .update(await sidecarFingerprint(source)).digest("hex").slice(0, 16);
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
      const how = { precision, threads, program };
      await Array.fromAsync(quantizeCheckpoint(source, target, how));
      return target;
    } catch (error) {
      if (!(error instanceof QuantizationError)) throw error;
      // Another process that started at the same time was done first.
      if (await isCheckpoint(target)) return target;
      if (!(error instanceof QuantizationBusyError)) throw error;
    }
    // If it stops, this process resumes its work.
    await delay(BUSY_PAUSE_MS);
  }
}

/** Returns the copy's folder, or a temporary one if that cannot be created. */
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
      // Read-only or full: the copy lasts as long as the machine keeps it.
    }
  }
  return await Deno.makeTempDir({ prefix: `${basename(key)}-` });
}

async function isCheckpoint(folder: string): Promise<boolean> {
  try {
    return (await Deno.stat(join(folder, "config.json"))).isFile;
  } catch {
    // Not made yet.
    return false;
  }
}
