/**
 * The retention clock: measures the age of stored rows, independent of jumps of
 * the system's clock.
 *
 * It advances while a process runs, and stands still between two servers. The
 * time between them is added once the second has run for a while: a system
 * whose clock is wrong at its start has that time to correct it.
 *
 * @module
 */

import type { Queries } from "./queries.ts";

/** The clocks that ages are measured with. */
export interface TimeSource {
  /** The system's clock, in milliseconds since 1970; it may jump. */
  readonly now: () => number;
  /** Milliseconds that this process has run; never jumps. */
  readonly uptime: () => number;
}

/** Uptime after which the time before the start counts. */
export const SETTLING_MS = 5 * 60_000;

const LAST = `
SELECT max(kept_from) AS last FROM jobs
UNION ALL SELECT max(created_at) FROM idempotency WHERE job IS NULL
UNION ALL SELECT now FROM retention_clock
ORDER BY last DESC LIMIT 1`;

/** A clock that measures the age of stored rows. */
export class RetentionClock {
  readonly #queries: Queries;
  readonly #source: TimeSource;
  readonly #startedAt: number;
  /** Clock at the start of this run; older rows existed then. */
  readonly #base: number;
  /**
   * System's clock when the last run ended; undefined once the gap was added.
   */
  #left: number | undefined;

  /** Continues from the clock of the store's last server. */
  constructor(queries: Queries, source: TimeSource) {
    this.#queries = queries;
    this.#source = source;
    this.#startedAt = source.uptime();
    const last = queries.get(LAST)?.["last"] ?? undefined;
    const wall = queries.get("SELECT wall FROM retention_clock")?.["wall"];
    this.#base = Number(last ?? source.now());
    // An empty store has no rows to age.
    this.#left = last === undefined ? undefined : Number(wall ?? last);
  }

  /** Returns milliseconds; only differences are meaningful. */
  readonly now = (): number => Math.round(this.#base + this.#ran());

  /** Stores the clock for the next server, and adds the time before if due. */
  save(): void {
    const ran = this.#ran();
    const wall = this.#source.now();
    const left = this.#left !== undefined && ran < SETTLING_MS
      ? this.#left
      : undefined;
    this.#queries.transact(() => {
      if (this.#left !== undefined && left === undefined) {
        this.#age(Math.max(0, Math.round(wall - ran - this.#left)));
      }
      this.#queries.run(
        "INSERT INTO retention_clock (id, now, wall) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET now = excluded.now, wall = excluded.wall",
        this.now(),
        Math.round(left === undefined ? wall : left + ran),
      );
    });
    this.#left = left;
  }

  /** Ages the rows that existed at the start of this run. */
  #age(ms: number): void {
    this.#queries.run(
      "UPDATE jobs SET kept_from = kept_from - ? WHERE kept_from <= ?",
      ms,
      this.#base,
    );
    this.#queries.run(
      "UPDATE idempotency SET created_at = created_at - ? WHERE created_at <= ?",
      ms,
      this.#base,
    );
  }

  #ran(): number {
    return this.#source.uptime() - this.#startedAt;
  }
}
