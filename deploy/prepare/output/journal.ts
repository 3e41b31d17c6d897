/**
 * The journal of a prepared set, from which the next run resumes.
 *
 * ```json
 * {"key": "a", "picture": "8f0c5b1d22a4e6f7"}     is stored
 * {"key": "b", "error": "…", "place": "data.json, record 2"}
 * {"key": "c", "same_as": 0}                      is omitted, as a duplicate
 * {"shard": "data-00000.jsonl", "records": 1000}  is complete
 * ```
 *
 * A line is written once its record is on the disk. It is valid once it is
 * complete: the last one may be truncated. One process at a time holds a
 * journal.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { onDisk } from "../../cache/base/disk.ts";
import { PreparationError } from "../preparation_error.ts";

/** A line of the journal. */
export interface JournalLine {
  /** Key of the record that the line is about. */
  readonly key?: string;
  /** Hash of its picture, if it is stored. */
  readonly picture?: string;
  /** Reason that it cannot be used. */
  readonly error?: string;
  /** Place of an unusable record in the input. */
  readonly place?: string;
  /** Index of the stored record with the same picture, if it is omitted. */
  readonly "same_as"?: number;
  /** Name of a finished file of records. */
  readonly shard?: string;
  /** Number of its records. */
  readonly records?: number;
}

/** Advice for a disk that refuses output. */
export const OUTPUT_REMEDY = "name another --out; run it again to go on";

/** A line, and the offset of its first byte. */
export type OnLine = (line: JournalLine, offset: number) => void;

/** An open journal. */
export class PreparationJournal implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Opens the journal at `path`, and cuts off a torn line.
   *
   * @throws {PreparationError} If another process holds it, or it is damaged.
   */
  static async open(path: string): Promise<PreparationJournal> {
    const file = await onDisk(path, () => openPlainFile(path), OUTPUT_REMEDY);
    const journal = new PreparationJournal(file, path);
    try {
      if (!await file.tryLock(true)) {
        throw new PreparationError(`another process is writing ${path}`, {
          transient: true,
        });
      }
      await journal.replay(() => {});
      return journal;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Adds lines. */
  async add(...lines: readonly JournalLine[]): Promise<void> {
    const texts = lines.map((line) => JSON.stringify(line));
    await appendLines(this.#file, this.#path, texts);
  }

  /** Makes all lines safe from a power loss. */
  async sync(): Promise<void> {
    await onDisk(this.#path, () => this.#file.syncData(), OUTPUT_REMEDY);
  }

  /** Removes all lines from the one at `offset` on. */
  async cut(offset: number): Promise<void> {
    await this.#file.truncate(offset);
    await this.#file.seek(offset, Deno.SeekMode.Start);
  }

  /**
   * Passes each line to `onLine`, in order.
   *
   * @throws {PreparationError} If a line is damaged that is not the last one.
   */
  async replay(onLine: OnLine): Promise<void> {
    await this.#file.seek(0, Deno.SeekMode.Start);
    const part = new Uint8Array(2 ** 16);
    let rest = new Uint8Array();
    let length = 0;
    for (;;) {
      const count = await this.#file.read(part);
      if (count === null) break;
      const bytes = new Uint8Array(rest.length + count);
      bytes.set(rest);
      bytes.set(part.subarray(0, count), rest.length);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      for (const text of this.#lines(bytes.subarray(0, end))) {
        onLine(this.#parse(text, length), length);
        length += new TextEncoder().encode(text).length + 1;
      }
      rest = bytes.subarray(end);
    }
    await this.cut(length);
  }

  /** Closes the journal. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #lines(bytes: Uint8Array): readonly string[] {
    return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
  }

  #parse(text: string, offset: number): JournalLine {
    try {
      // Only this module writes the file.
      return JSON.parse(text) as JournalLine;
    } catch (cause) {
      throw new PreparationError(
        `${this.#path} is damaged at byte ${offset}; choose another --out, or remove the folder to start again`,
        { cause },
      );
    }
  }
}

const LINE_FEED = 10;

/** Writes lines at the position of a file; each line feed is added. */
export async function appendLines(
  file: Deno.FsFile,
  path: string,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  const text = lines.map((line) => `${line}\n`).join("");
  const bytes = new TextEncoder().encode(text);
  await onDisk(path, async () => {
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
  }, OUTPUT_REMEDY);
}
