/**
 * Bytes that have come, made safe and noted, many with one wait for the disk.
 *
 * Parts are noted when they are whole, and from time to time as far as they have
 * come: what a killed process has fetched is fetched again only in so far as it
 * came within the last half second, or is less than some hundred kilobytes of a part.
 *
 * @module
 */

import type { ExpectedHash } from "../hashing/content_hash.ts";
import { onDisk } from "../base/disk.ts";
import type { PartStart } from "./fetch_part.ts";
import type { PartJournal, PartsHere } from "./part_journal.ts";

/** Time between two notes of parts that are still coming. */
const NOTE_MS = 500;

/** Bytes of a part that are worth a line; keeps journals of slow lines short. */
const NOTE_BYTES = 2 ** 18;

/** Parts are noted at least so many times while they come, however small. */
const NOTES_A_PART = 16;

/** Notes parts in the background; one that is flushed may be used again. */
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
   * Notes parts of `data`, which is the file at `path`, in `journal`.
   *
   * @param partBytes Of each part but the last.
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

  /** Has a whole part noted soon. */
  add(part: number, hash: ExpectedHash): void {
    this.#pending.starts.delete(part);
    this.#pending.parts.set(part, hash);
    this.#begin();
  }

  /** Has the start of a part noted, not at once. */
  addStart(part: number, start: PartStart): void {
    this.#pending.starts.set(part, start);
    if (this.#isWorthALine(part, start)) this.#beginSoon();
  }

  /** Forgets the start of a part, which comes again. */
  restart(part: number): void {
    this.#pending.starts.delete(part);
    this.#journal.starts.delete(part);
  }

  /** Notes all that has come. */
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
    // Whoever flushes hears of it.
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
    // What came while the disk was waited for.
    const late = [...this.#pending.starts]
      .some(([part, start]) => this.#isWorthALine(part, start));
    if (late) this.#beginSoon();
  }
}

function nothing(): PartsHere {
  return { parts: new Map(), starts: new Map() };
}
