/**
 * The start of a model as bars on one time axis.
 *
 * @module
 */

// @ts-check

import { bytesText, secondsText } from "../logic/quantities.js";

/** @typedef {import("../shell/server_watch.js").Phase} Phase */

/** Name of the time before the first phase: Deno and the server's own code. */
const PROGRAM = "program";

/**
 * @typedef {object} StartRow
 * @property {string} name
 * @property {number} from Start of its bar, as a fraction of the whole.
 * @property {number} part Length of its bar, as a fraction of the whole.
 * @property {boolean} running
 * @property {string} facts Text for display.
 */

/**
 * @param {readonly Phase[]} phases
 * @param {number} nowSeconds Seconds since the start of the process, as far as
 *   phases show.
 * @returns {StartRow[]}
 */
export function startRows(phases, nowSeconds) {
  const first = Math.min(
    nowSeconds,
    ...phases.map((phase) => phase.started_at),
  );
  const program = { name: PROGRAM, "started_at": 0, seconds: first };
  return bars(first > 0 ? [program, ...phases] : phases, nowSeconds);
}

/**
 * @param {readonly Phase[]} phases
 * @param {number} nowSeconds
 * @returns {StartRow[]}
 */
function bars(phases, nowSeconds) {
  const ends = phases.map((phase) => endOf(phase, nowSeconds));
  const whole = Math.max(...ends, Number.MIN_VALUE);
  return phases.map((phase, i) => ({
    name: phase.name,
    from: phase.started_at / whole,
    part: ((ends[i] ?? 0) - phase.started_at) / whole,
    running: phase.seconds === undefined,
    facts: factsOf(phase),
  }));
}

/**
 * Returns the latest start or end of a phase, which estimates the server's
 * clock.
 *
 * @param {readonly Phase[]} phases
 */
export function lastMoment(phases) {
  return Math.max(
    0,
    ...phases.map(({ started_at: from, seconds = 0 }) => from + seconds),
  );
}

/**
 * @param {Phase} phase
 * @param {number} nowSeconds
 */
function endOf({ started_at: from, seconds }, nowSeconds) {
  return seconds === undefined ? Math.max(nowSeconds, from) : from + seconds;
}

/** @param {Phase} phase */
function factsOf({ seconds, transfer }) {
  const facts = [seconds === undefined ? "in progress" : duration(seconds)];
  if (transfer) {
    const { bytes, total_bytes: all, bytes_per_second: rate } = transfer;
    facts.push(
      all === null
        ? bytesText(bytes)
        : `${bytesText(bytes)} of ${bytesText(all)}`,
    );
    if (rate !== null) facts.push(`${bytesText(rate)}/s`);
    if (seconds === undefined && rate !== null && rate > 0 && all !== null) {
      facts.push(`${duration((all - bytes) / rate)} left`);
    }
  }
  return facts.join(", ");
}

/**
 * @param {number} seconds
 * @returns {string} Text with milliseconds if that precision is useful.
 */
export function duration(seconds) {
  return seconds < 1
    ? `${Math.round(seconds * 1000)} ms`
    : secondsText(seconds);
}
