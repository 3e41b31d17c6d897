/**
 * Parts that have come, made safe and noted, many with one wait for the disk.
 *
 * @module
 */

import type { ExpectedHash } from "./content_hash.ts";
import { onDisk } from "./disk.ts";
import type { PartJournal } from "./part_journal.ts";

/** What notes parts in the background. */
export class PartSaver {
  readonly #path: string;
  readonly #data: Deno.FsFile;
  readonly #journal: PartJournal;
  #pending = new Map<number, ExpectedHash>();
  #running: Promise<void> | undefined;

  /** Notes parts of `data`, which is the file at `path`, in `journal`. */
  constructor(path: string, data: Deno.FsFile, journal: PartJournal) {
    this.#path = path;
    this.#data = data;
    this.#journal = journal;
  }

  /** Has a part noted soon. */
  add(part: number, hash: ExpectedHash): void {
    this.#pending.set(part, hash);
    if (this.#running !== undefined) return;
    this.#running = this.#run();
    // Whoever flushes hears of it.
    this.#running.catch(() => {});
  }

  /** Comes when all parts are noted. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#pending.size > 0) {
      const parts = this.#pending;
      this.#pending = new Map();
      await onDisk(this.#path, async () => {
        await this.#data.syncData();
        await this.#journal.add(parts);
      });
    }
    this.#running = undefined;
  }
}
