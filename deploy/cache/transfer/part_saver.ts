/**
 * The saver of downloaded bytes: syncs and records many parts with one wait for
 * the disk.
 *
 * Parts are recorded when they are complete, and periodically up to the bytes
 * that have arrived: after a kill, only the bytes of the last half second, or
 * less than some hundred kilobytes of a part, are fetched again.
 *
 * @module
 */

import type { ExpectedHash } from "../hashing/content_hash.ts";
import { onDisk } from "../base/disk.ts";
import type { PartStart } from "./fetch_part.ts";
import type { PartJournal, PartsHere } from "./part_journal.ts";

/** Milliseconds between two records of parts in progress. */
const NOTE_MS = 500;

/**
 * Minimum bytes between two lines of a part; keeps the journal short on slow
 * connections.
 */
const NOTE_BYTES = 2 ** 18;

/** Minimum number of records of a part in progress. */
const NOTES_A_PART = 16;

/**
 * A saver that records parts in the background; it is reusable after a flush.
 */
export class PartSaver {
  readonly #path: string;
  readonly #data: Deno.FsFile;
  readonly #journal: PartJournal;
  readonly #noteBytes: number;
  #pending = nothing();
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notedMs = -Infinity;

  /**
   * Creates a saver of parts of `data`, the file at `path`, in `journal`.
   *
   * @param partBytes Bytes of each part but the last.
   */
  constructor(
    path: string,
    data: Deno.FsFile,
    journal: PartJournal,
    partBytes: number,
  ) {
    this.#path = path;
    this.#data = data;
    this.#journal = journal;
    this.#noteBytes = Math.min(NOTE_BYTES, partBytes / NOTES_A_PART);
  }

  /** Schedules the record of a complete part. */
  add(part: number, hash: ExpectedHash): void {
    this.#pending.starts.delete(part);
    this.#pending.parts.set(part, hash);
    this.#begin();
  }

  /** Schedules the record of the start of a part, later. */
  addStart(part: number, start: PartStart): void {
    this.#pending.starts.set(part, start);
    if (this.#isWorthALine(part, start)) this.#beginSoon();
  }

  /** Discards the start of a part that is fetched again. */
  restart(part: number): void {
    this.#pending.starts.delete(part);
    this.#journal.starts.delete(part);
  }

  /** Records everything that has arrived. */
  async flush(): Promise<void> {
    await this.#running;
    this.#begin();
    await this.#running;
  }

  #isWorthALine(part: number, { bytes }: PartStart): boolean {
    const noted = this.#journal.starts.get(part)?.bytes ?? 0;
    return bytes - noted >= this.#noteBytes;
  }

  #beginSoon(): void {
    if (this.#timer !== undefined || this.#running !== undefined) return;
    const wait = this.#notedMs + NOTE_MS - performance.now();
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, wait));
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { parts, starts } = this.#pending;
    if (this.#running !== undefined || parts.size + starts.size === 0) return;
    this.#running = this.#run();
    // The next flush reports the error.
    this.#running.catch(() => {});
  }

  async #run(): Promise<void> {
    do {
      const pending = this.#pending;
      this.#pending = nothing();
      await onDisk(this.#path, async () => {
        await this.#data.syncData();
        await this.#journal.add(pending);
      });
    } while (this.#pending.parts.size > 0);
    this.#notedMs = performance.now();
    this.#running = undefined;
    // Starts that arrived during the wait for the disk.
    const late = [...this.#pending.starts]
      .some(([part, start]) => this.#isWorthALine(part, start));
    if (late) this.#beginSoon();
  }
}

function nothing(): PartsHere {
  return { parts: new Map(), starts: new Map() };
}
