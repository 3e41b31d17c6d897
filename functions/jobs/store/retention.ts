/**
 * The room in the store: removes expired jobs, and the oldest when it is full.
 *
 * Jobs that wait or run are never removed. If only those are left, new ones are
 * refused ({@linkcode StoreFullError}).
 *
 * @module
 */

import type { Queries } from "./queries.ts";

/** Part of the file that is kept free for new rows. */
const FREE = 1 / 4;

/** Pages of the log before a checkpoint moves them into the file. */
const LOG_PAGES = 256;

/** Bytes that stay free for the log and its checkpoint. */
const LOG = 2 * 2 ** 20;

/** Number of removals between two checks of the room. */
const FEW = 8;

/** Bytes that a writable store has room for. */
const PROBE_BYTES = 2 ** 16;

const FORGET_OLD = [
  "DELETE FROM jobs WHERE kept_from < ?",
  // Those of jobs are removed with them.
  "DELETE FROM idempotency WHERE created_at < ? AND job IS NULL",
];

const ENDED_FIRST = `
SELECT 'jobs' AS kind, rowid AS row, kept_from AS ended FROM jobs
  WHERE kept_from IS NOT NULL
UNION ALL
SELECT 'idempotency', rowid, created_at FROM idempotency WHERE job IS NULL
ORDER BY ended LIMIT ?`;

/** The limits of a store's size and retention. */
export class Retention {
  readonly #queries: Queries;
  readonly #maxBytes: number;
  readonly #space: () => number;

  /**
   * Limits the file behind `queries` to `maxBytes`.
   *
   * @param space Returns the bytes that the disk has for the store, its own
   * included.
   */
  constructor(
    queries: Queries,
    maxBytes: number,
    space: () => number = () => Infinity,
  ) {
    this.#queries = queries;
    this.#maxBytes = maxBytes;
    this.#space = space;
    queries.get(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    this.#limit();
  }

  /**
   * Removes what ended before `before`, then what ended first, until there is
   * room for new rows.
   *
   * @returns Number of removed jobs and first answers.
   */
  make(before: number): number {
    const limit = this.#limit();
    let removed = 0;
    for (const sql of FORGET_OLD) removed += this.#queries.run(sql, before);
    while (this.#bytesHeld() > (1 - FREE) * limit) {
      const few = this.#forget(FEW);
      if (few === 0) break;
      removed += few;
    }
    if (removed > 0) this.#shrink();
    return removed;
  }

  /**
   * Removes a few of what ended first if the store is full.
   *
   * @returns Number of removed jobs and first answers.
   */
  recycle(): number {
    const removed = this.#forget(FEW);
    if (removed > 0) this.#shrink();
    this.#limit();
    return removed;
  }

  /**
   * Sets and returns the largest size of the file. It stays below the space of
   * the disk: a full file refuses new rows, and old ones can be removed; on a
   * full disk not even removals fit in the log.
   */
  #limit(): number {
    const space = this.#space();
    const limit = Math.min(this.#maxBytes, space - Math.min(LOG, space / 2));
    const pages = Math.ceil(limit / this.#queries.pragma("page_size"));
    this.#queries.get(`PRAGMA max_page_count = ${Math.max(1, pages)}`);
    return limit;
  }

  /**
   * Writes and removes a row of a fixed length.
   *
   * @throws {StoreFullError} If there is no room for it.
   */
  probe(): void {
    this.#queries.run("INSERT INTO probe VALUES (zeroblob(?))", PROBE_BYTES);
    this.#queries.run("DELETE FROM probe");
  }

  #forget(limit: number): number {
    const few = this.#queries.all(ENDED_FIRST, limit);
    for (const { kind, row } of few) {
      this.#queries.run(`DELETE FROM ${kind} WHERE rowid = ?`, Number(row));
    }
    return few.length;
  }

  #shrink(): void {
    this.#queries.all("PRAGMA incremental_vacuum");
    this.#checkpoint();
  }

  #checkpoint(): void {
    this.#queries.all("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  #bytesHeld(): number {
    const queries = this.#queries;
    const pages = queries.pragma("page_count") -
      queries.pragma("freelist_count");
    return pages * queries.pragma("page_size");
  }
}
