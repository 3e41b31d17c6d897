/**
 * How long a drawing still takes, from when its rows came.
 *
 * @module
 */

// @ts-check

/** Fewer rows say nothing. */
const MIN_ROWS = 2;

/** Rows come in bursts where codes are guessed ahead: a pace is that of many. */
const RECENT = 12;

/** When rows came. */
export class TimeLeft {
  /** @type {number[]} */
  #marks = [];
  #total;

  /**
   * @param {number} total Rows in all.
   * @param {number} startedAt In milliseconds, on the clock of the rest.
   */
  constructor(total, startedAt) {
    this.#total = total;
    this.#marks.push(startedAt);
  }

  /** @param {number} now A row came. */
  mark(now) {
    this.#marks.push(now);
  }

  /** Rows that came. */
  get rows() {
    return this.#marks.length - 1;
  }

  /**
   * While rows do not come, the time left does not shrink.
   *
   * @param {number} now
   * @returns {number | undefined} In seconds; undefined while nobody can say.
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
    // A row that is late says that the pace is no longer what it was.
    const late = Math.max(0, waited - pace);
    const slower = (since + late) / (last - first);
    return Math.max(0, slower * left - Math.min(waited, pace)) / 1000;
  }
}
