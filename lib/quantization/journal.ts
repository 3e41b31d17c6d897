/**
 * The journal of a quantization, from which an interrupted run resumes.
 *
 * ```text
 * {"job": …}                     the job and its files
 * {"bands": [0, 1, 2]}           chunks that are written
 * {"file": 0, "sha256": "…"}     a source file that was read completely
 * ```
 *
 * Only complete lines are valid: a crash may truncate the last one. One process
 * at a time holds the journal.
 *
 * @module
 */

import { openPlainFile } from "../loading/plain_file.ts";

/** The progress of earlier runs of the same job. */
export interface Done {
  /** Indices of the chunks that are written. */
  readonly chunks: Set<number>;
  /** SHA-256 of source files, by index. */
  readonly hashes: Map<number, string>;
}

/** One line of the journal. */
interface Line {
  readonly job?: string;
  /** Indices of chunks; the name is that of the first release. */
  readonly bands?: readonly number[];
  readonly file?: number;
  readonly sha256?: string;
}

/** An open journal. */
export class Journal implements Disposable {
  readonly #file: Deno.FsFile;
  /** Progress; grows with the lines that are added. */
  readonly done: Done;

  private constructor(file: Deno.FsFile, done: Done) {
    this.#file = file;
    this.done = done;
  }

  /**
   * Opens the journal at `path`, and empties it unless it belongs to the same
   * job.
   *
   * @param job Description of the job; equal texts mean equal results.
   * @returns Undefined if another process holds it.
   */
  static async open(path: string, job: string): Promise<Journal | undefined> {
    const file = await openPlainFile(path);
    try {
      if (!await file.tryLock(true)) {
        file.close();
        return undefined;
      }
      const { done, length } = parse(await readAll(file), job);
      await file.truncate(length);
      await file.seek(length, Deno.SeekMode.Start);
      const journal = new Journal(file, done);
      if (length === 0) await journal.#add({ job });
      return journal;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Records that chunks are written and synced to the disk. */
  async addChunks(chunks: readonly number[]): Promise<void> {
    if (chunks.length === 0) return;
    await this.#add({ bands: chunks });
    for (const chunk of chunks) this.done.chunks.add(chunk);
  }

  /** Records the hash of a source file. */
  async addHash(file: number, sha256: string): Promise<void> {
    await this.#add({ file, sha256 });
    this.done.hashes.set(file, sha256);
  }

  /** Closes the journal. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #add(line: Line): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    for (let at = 0; at < bytes.length;) {
      at += await this.#file.write(bytes.subarray(at));
    }
    await this.#file.syncData();
  }
}

/**
 * Returns the progress in the complete lines, and their length; empty for
 * another job.
 */
function parse(text: string, job: string): { done: Done; length: number } {
  const done: Done = { chunks: new Set(), hashes: new Map() };
  const lines = text.split("\n").slice(0, -1);
  let length = 0;
  for (const [i, text] of lines.entries()) {
    const line = parseLine(text);
    if (line === undefined) break;
    if (i === 0 && line.job !== job) break;
    for (const chunk of line.bands ?? []) done.chunks.add(chunk);
    const { file, sha256 } = line;
    if (file !== undefined && sha256 !== undefined) {
      done.hashes.set(file, sha256);
    }
    length += new TextEncoder().encode(text).length + 1;
  }
  return { done, length };
}

function parseLine(text: string): Line | undefined {
  try {
    // Only this module writes the file.
    return JSON.parse(text) as Line;
  } catch {
    // Truncated by a crash; later lines are ignored.
    return undefined;
  }
}

async function readAll(file: Deno.FsFile): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const part = new Uint8Array(2 ** 16);
  for (;;) {
    const count = await file.read(part);
    if (count === null) return text + decoder.decode();
    text += decoder.decode(part.subarray(0, count), { stream: true });
  }
}
