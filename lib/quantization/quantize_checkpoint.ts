/**
 * The quantization of a language model's checkpoint.
 *
 * ```text
 * source files ─▶ chunks, in order ─▶ SHA-256 ─▶ threads ─▶ target files
 *                                                 └─ journal of the progress
 * ```
 *
 * A few chunks are in memory at a time, independent of the size of the
 * checkpoint. A killed run can be resumed. The folder is renamed to its final
 * name only when it is complete, so an incomplete checkpoint is never opened.
 *
 * @module
 */

import { join } from "node:path";
import { Emu3Error, QuantizationError } from "../errors.ts";
import { hubCommit, modelName } from "../loading/hub_cache.ts";
import { readJson } from "../loading/json_file.ts";
import { sidecarFingerprint } from "./sidecar_files.ts";
import { type Plan, planQuantization, type TensorChunk } from "./plan.ts";
import { quantizationJob } from "./quantization_job.ts";
import { quantizedConfig } from "./quantized_config.ts";
import { type QuantizedPrecision, RECIPES } from "./recipe.ts";
import { isUnchanged, readPieces, type SourceOnDisk } from "./source_files.ts";
import { type Metadata, TargetFolder } from "./target_folder.ts";
import { ConvertPool } from "./convert_pool.ts";

/** Options of {@linkcode quantizeCheckpoint}. */
export interface QuantizeOptions {
  /** Precision of the result. */
  readonly precision: QuantizedPrecision;
  /** Number of threads that compute, 1 or more. */
  readonly threads: number;
  /** Name and version of the program, for the files' metadata. */
  readonly program: string;
  /** Bytes that are read and converted at once. */
  readonly chunkBytes?: number;
  /** Bytes of a target file. */
  readonly fileBytes?: number;
}

/** The progress of a run, in bytes of the source. */
export interface QuantizeProgress {
  /** Finished bytes, of this run and earlier ones. */
  readonly doneBytes: number;
  /** Total bytes. */
  readonly totalBytes: number;
}

const CHUNK_BYTES = 2 ** 23;
const FILE_BYTES = 4.5e9;

/** Number of chunks between two syncs to the disk. */
const CHUNKS_PER_SYNC = 16;

/**
 * Quantizes the checkpoint in `source` into `target`, and yields its progress
 * after every chunk.
 *
 * A run that ends early, even when killed, loses at most a few chunks.
 *
 * @throws {CheckpointError} If the source cannot be read.
 * @throws {QuantizationError} If it cannot be quantized, or the target cannot
 * be written.
 */
export async function* quantizeCheckpoint(
  source: string,
  target: string,
  options: QuantizeOptions,
): AsyncGenerator<QuantizeProgress> {
  try {
    yield* quantize(source, target, options);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw new QuantizationError(
      target,
      `${cause.message}; run the command again to continue`,
      { cause },
    );
  }
}

/**
 * Returns true for an error of the system, such as a full disk or a missing
 * permission.
 */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error &&
    typeof error.code === "string" && !(error instanceof Emu3Error);
}

async function* quantize(
  source: string,
  target: string,
  options: QuantizeOptions,
): AsyncGenerator<QuantizeProgress> {
  const sidecars = await sidecarFingerprint(source);
  const { job, sources, recipe } = await quantizationJob(
    source,
    options.precision,
  );
  const sizes = {
    chunkBytes: options.chunkBytes ?? CHUNK_BYTES,
    fileBytes: options.fileBytes ?? FILE_BYTES,
  };
  const plan = planQuantization(sources, recipe, sizes);
  refuseUseless(source, sources, plan);
  const metadata = (hashes: ReadonlyMap<number, string>) =>
    metadataOf(source, sources, hashes, options);
  const draft = metadata(new Map());
  using folder = await TargetFolder.open(target, plan.files, {
    job: JSON.stringify({ job, ...sizes }),
    draft,
  });
  yield* treatAll(sources, plan, folder, options.threads);
  for (const file of sources) {
    if (await isUnchanged(file)) continue;
    throw new QuantizationError(file.path, "it changed while it was read");
  }
  const config = recordOf(await readJson(join(source, "config.json")));
  await folder.copySidecarFiles(source);
  if (await sidecarFingerprint(source) !== sidecars) {
    throw new QuantizationError(
      source,
      "files beside its weights changed while they were read; run it again",
    );
  }
  await folder.writeText(
    "config.json",
    JSON.stringify(quantizedConfig(config, plan.chunks), undefined, 2),
  );
  await folder.finish(metadata(folder.journal.done.hashes));
}

async function* treatAll(
  sources: readonly SourceOnDisk[],
  plan: Plan,
  folder: TargetFolder,
  threads: number,
): AsyncGenerator<QuantizeProgress> {
  const { done } = folder.journal;
  const totalBytes = sumOfBytes(plan.chunks);
  let doneBytes = sumOfBytes(
    plan.chunks.filter(({ index }) => done.chunks.has(index)),
  );
  yield { doneBytes, totalBytes };
  using pool = new ConvertPool(threads);
  const writer = new ChunkWriter(pool, folder);
  for (const [file, source] of sources.entries()) {
    const chunks = plan.chunks.filter((chunk) => chunk.file === file);
    const known = done.hashes.has(file);
    if (known && chunks.every(({ index }) => done.chunks.has(index))) continue;
    const pieces = readPieces(source, chunks);
    let piece = await pieces.next();
    for (; !piece.done; piece = await pieces.next()) {
      const { chunk, bytes } = piece.value;
      if (chunk === undefined || done.chunks.has(chunk.index)) continue;
      doneBytes += await writer.add(chunk, bytes);
      yield { doneBytes, totalBytes };
    }
    doneBytes += await writer.drain();
    if (!known) await folder.journal.addHash(file, piece.value);
    yield { doneBytes, totalBytes };
  }
}

/** A chunk with its results. */
interface ConvertedChunk {
  readonly chunk: TensorChunk;
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** Distributes chunks to all threads, and writes the results. */
class ChunkWriter {
  readonly #pool: ConvertPool;
  readonly #folder: TargetFolder;
  readonly #running = new Map<number, Promise<ConvertedChunk>>();
  readonly #written: number[] = [];

  constructor(pool: ConvertPool, folder: TargetFolder) {
    this.#pool = pool;
    this.#folder = folder;
  }

  /** Submits a chunk; returns the bytes that were finished meanwhile. */
  async add(
    chunk: TensorChunk,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    // One more than the number of threads, so that none waits for a read.
    const finished = this.#running.size > this.#pool.size
      ? await this.#finishOne()
      : 0;
    const converted = this.#convert(chunk, bytes);
    // The awaiting caller receives the error; another chunk may fail first.
    converted.catch(() => undefined);
    this.#running.set(chunk.index, converted);
    return finished;
  }

  /** Waits for all chunks; returns the bytes that were finished. */
  async drain(): Promise<number> {
    let finished = 0;
    while (this.#running.size > 0) finished += await this.#finishOne();
    await this.#note();
    return finished;
  }

  async #convert(
    chunk: TensorChunk,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<ConvertedChunk> {
    const { dtype, conversion } = chunk;
    if (conversion.kind === "copy") return { chunk, parts: [bytes] };
    try {
      const parts = await this.#pool.convert({ bytes, dtype, conversion });
      return { chunk, parts };
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new QuantizationError(
        `tensor "${chunk.tensor}"`,
        cause.message,
        { cause },
      );
    }
  }

  async #finishOne(): Promise<number> {
    const { chunk, parts } = await Promise.race(this.#running.values());
    this.#running.delete(chunk.index);
    await this.#folder.write(chunk.targets, parts);
    this.#written.push(chunk.index);
    if (this.#written.length >= CHUNKS_PER_SYNC) await this.#note();
    return chunk.length;
  }

  async #note(): Promise<void> {
    await this.#folder.sync(this.#written.splice(0));
  }
}

/** Returns the metadata of every file, which records its origin. */
function metadataOf(
  source: string,
  sources: readonly SourceOnDisk[],
  hashes: ReadonlyMap<number, string>,
  { precision, program }: QuantizeOptions,
): Metadata {
  const unknown = "0".repeat(64);
  const files = sources.map(({ name }, i) => [name, hashes.get(i) ?? unknown]);
  const commit = hubCommit(source);
  return {
    format: "pt",
    program,
    precision,
    recipe: JSON.stringify(RECIPES[precision]),
    source: modelName(source),
    ...commit === undefined ? {} : { source_revision: commit },
    source_sha256: JSON.stringify(Object.fromEntries(files)),
  };
}

function refuseUseless(
  source: string,
  sources: readonly SourceOnDisk[],
  { chunks }: Plan,
): void {
  const names = sources.flatMap(({ tensors }) => [...tensors.keys()]);
  if (names.some((name) => /_(packed|qweight|scale)$|qweight$/.test(name))) {
    throw new QuantizationError(
      source,
      "it is already quantized; use the unquantized checkpoint",
    );
  }
  if (chunks.some(({ conversion }) => conversion.kind === "quantize")) return;
  throw new QuantizationError(
    source,
    "it has no layers of a language model; use the checkpoint of a language model",
  );
}

function sumOfBytes(chunks: readonly TensorChunk[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

function recordOf(json: unknown): Record<string, unknown> {
  return typeof json === "object" && json !== null ? { ...json } : {};
}
