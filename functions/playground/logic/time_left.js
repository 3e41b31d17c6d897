/**
 * The estimate of a drawing's remaining time.
 *
 * @module
 */

// @ts-check

/** Minimum of rows for an estimate. */
const MIN_ROWS = 2;

/** Window of the average in rows, as speculation delivers them in bursts. */
const RECENT = 12;

/** The estimator. */
export class TimeLeft {
  /** @type {number[]} */
  #marks = [];
  #total;

  /**
   * @param {number} total Total of rows.
   * @param {number} startedAt Start in milliseconds, on the same clock.
   */
  constructor(total, startedAt) {
    this.#total = total;
    this.#marks.push(startedAt);
  }

  /** @param {number} now Arrival time of a row. */
  mark(now) {
    this.#marks.push(now);
  }

  /** Rows that arrived. */
  get rows() {
    return this.#marks.length - 1;
  }

  /**
   * Returns the time left, which does not shrink while no rows arrive.
   *
   * @param {number} now
   * @returns {number | undefined} Seconds; undefined if unknown.
   */
  seconds(now) {
    const left = this.#total - this.rows;
    if (left <= 0) return 0;
    if (this.rows < MIN_ROWS) return undefined;
    const last = this.#marks.length - 1;
    const first = Math.max(0, last - RECENT);
    const since = (this.#marks[last] ?? 0) - (this.#marks[first] ?? 0);
    const pace = since / (last - first);
    const waited = now - (this.#marks[last] ?? now);
    // A late row means that the rate has dropped.
    const late = Math.max(0, waited - pace);
    const slower = (since + late) / (last - first);
    return Math.max(0, slower * left - Math.min(waited, pace)) / 1000;
  }
}
