/**
 * The target folder of a quantization, renamed when it is complete.
 *
 * ```text
 * {target}.partial/   files of full size from the start, and the journal
 * {target}/           the same folder, renamed at the end
 * ```
 *
 * @module
 */

import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { QuantizationBusyError, QuantizationError } from "../errors.ts";
import {
  openPlainFile,
  refuseLinkOut,
  writePlainFile,
} from "../loading/plain_file.ts";
import { copySidecarFiles } from "./sidecar_files.ts";
import { Journal } from "./journal.ts";
import {
  type FilePosition,
  headerBytes,
  indexOf,
  type TargetFile,
} from "./target_files.ts";

const JOURNAL_FILE = "quantize.journal.jsonl";
const INDEX_FILE = "model.safetensors.index.json";

/** Bytes of disk space that must stay free. */
const SPARE_BYTES = 2 ** 26;

/** Metadata of each file. */
export type Metadata = Readonly<Record<string, string>>;

/** Writes an incomplete folder. */
export class TargetFolder implements Disposable {
  readonly #target: string;
  readonly #partial: string;
  readonly #targetFiles: readonly TargetFile[];
  readonly #handles: readonly Deno.FsFile[];
  readonly #dataStarts: readonly number[];
  readonly #dirty = new Set<number>();
  /** The journal of the run. */
  readonly journal: Journal;

  private constructor(
    target: string,
    files: readonly TargetFile[],
    handles: readonly Deno.FsFile[],
    dataStarts: readonly number[],
    journal: Journal,
  ) {
    this.#target = target;
    this.#partial = partialFolder(target);
    this.#targetFiles = files;
    this.#handles = handles;
    this.#dataStarts = dataStarts;
    this.journal = journal;
  }

  /**
   * Opens the partial folder of `target`, with the results of an earlier run of
   * the same job.
   *
   * @param draft Metadata of the final length, whose values may still change.
   * @throws {QuantizationError} If `target` exists, another process writes to
   * it, or the disk has too little space.
   */
  static async open(
    target: string,
    files: readonly TargetFile[],
    options: { readonly job: string; readonly draft: Metadata },
  ): Promise<TargetFolder> {
    const partial = partialFolder(target);
    await refuseExisting(target);
    await refuseLinkOut(dirname(partial), partial);
    await Deno.mkdir(partial, { recursive: true });
    await refuseForeign(partial);
    const journal = await Journal.open(
      join(partial, JOURNAL_FILE),
      options.job,
    );
    if (journal === undefined) {
      throw new QuantizationBusyError(target);
    }
    using opened = new DisposableStack();
    opened.use(journal);
    if (journal.done.chunks.size === 0) await clear(partial);
    const starts = files.map((file) => headerBytes(file, options.draft).length);
    await refuseFullDisk(partial, files, starts);
    const handles: Deno.FsFile[] = [];
    for (const [i, { name, dataBytes }] of files.entries()) {
      const path = join(partial, name);
      const handle = opened.use(
        await openPlainFile(path),
      );
      await handle.truncate(starts[i]! + dataBytes);
      handles.push(handle);
    }
    opened.move();
    return new TargetFolder(target, files, handles, starts, journal);
  }

  /** Writes results at their positions. */
  async write(
    positions: readonly FilePosition[],
    parts: readonly Uint8Array<ArrayBuffer>[],
  ): Promise<void> {
    for (const [i, { file, offset }] of positions.entries()) {
      await this.#writeAt(file, this.#dataStarts[file]! + offset, parts[i]!);
    }
  }

  /** Syncs the results to the disk, then records `chunks` in the journal. */
  async sync(chunks: readonly number[]): Promise<void> {
    for (const file of this.#dirty) await this.#handles[file]!.syncData();
    this.#dirty.clear();
    await this.journal.addChunks(chunks);
  }

  /** Writes a small file. */
  async writeText(name: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await writePlainFile(join(this.#partial, name), bytes);
  }

  /** Copies the files beside the weights of `source`, with folders. */
  async copySidecarFiles(source: string): Promise<void> {
    await copySidecarFiles(source, this.#partial);
  }

  /** Writes headers and index, and renames the folder to its name. */
  async finish(metadata: Metadata): Promise<void> {
    for (const [i, file] of this.#targetFiles.entries()) {
      await this.#writeAt(i, 0, headerBytes(file, metadata));
      for (const { data, offset } of file.tensors) {
        if (data === undefined) continue;
        await this.#writeAt(i, this.#dataStarts[i]! + offset, data);
      }
      await this.#handles[i]!.sync();
    }
    const index = indexOf(this.#targetFiles);
    if (index !== undefined) {
      await this.writeText(INDEX_FILE, JSON.stringify(index, undefined, 2));
    }
    await Deno.remove(join(this.#partial, JOURNAL_FILE));
    await refuseExisting(this.#target);
    await Deno.rename(this.#partial, this.#target);
  }

  /** Closes all files; results stay for the next run. */
  [Symbol.dispose](): void {
    for (const handle of this.#handles) handle.close();
    this.journal[Symbol.dispose]();
  }

  async #writeAt(
    file: number,
    position: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const handle = this.#handles[file]!;
    this.#dirty.add(file);
    await handle.seek(position, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      at += await handle.write(bytes.subarray(at));
    }
  }
}

/** Returns the path of `target` until it is complete. */
export function partialFolder(target: string): string {
  return `${resolve(target)}.partial`;
}

async function refuseExisting(target: string): Promise<void> {
  try {
    await Deno.lstat(target);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new QuantizationError(target, "it already exists; use another folder");
}

/** Refuses a folder that was not created by this command. */
async function refuseForeign(partial: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(partial)))
    .map(({ name }) => name);
  if (names.length === 0 || names.includes(JOURNAL_FILE)) return;
  throw new QuantizationError(
    partial,
    "it contains other files; remove it or use another folder",
  );
}

/** Removes the files of another job. */
async function clear(partial: string): Promise<void> {
  for await (const { name } of Deno.readDir(partial)) {
    if (name === JOURNAL_FILE) continue;
    await Deno.remove(join(partial, name), { recursive: true });
  }
}

async function refuseFullDisk(
  folder: string,
  files: readonly TargetFile[],
  starts: readonly number[],
): Promise<void> {
  const needed = files.reduce(
    (sum, { dataBytes }, i) => sum + dataBytes + starts[i]!,
    SPARE_BYTES,
  );
  const { bavail, bsize } = await statfs(folder);
  let taken = 0;
  for (const { name } of files) {
    taken += await takenBytes(join(folder, name));
  }
  const free = Number(bavail) * Number(bsize) + taken;
  if (free >= needed) return;
  throw new QuantizationError(
    dirname(folder),
    `it takes ${megabytes(needed)}, but the disk has only ${
      megabytes(free)
    } free`,
  );
}

/**
 * Returns the disk space of a file in bytes, which may be less than its length.
 */
async function takenBytes(path: string): Promise<number> {
  try {
    const { blocks } = await Deno.stat(path);
    return (blocks ?? 0) * 512;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
