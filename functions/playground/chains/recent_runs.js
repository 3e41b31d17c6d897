/**
 * The list of recent runs of chains, kept in the browser: the server keeps
 * their results for a day.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/** @typedef {{ chain: string, id: string, title: string, startedAt: number }} Run */

const NAME = "emu3-chains";

/** Limit of kept runs. */
export const MAX_RUNS = 20;

/** Time after which the server has forgotten a run, in milliseconds. */
export const RUN_AGE_MS = 36 * 3600_000;

/**
 * Returns the runs of the browser, latest first.
 *
 * @param {number} now Milliseconds since 1970.
 * @returns {Run[]}
 */
export function recentRuns(now) {
  try {
    /** @type {unknown} */
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    if (!Array.isArray(kept)) return [];
    return kept.filter(({ startedAt }) => now - startedAt < RUN_AGE_MS);
  } catch {
    // Another version's list, or storage that is not allowed.
    return [];
  }
}

/**
 * Adds a run, without the oldest beyond the limit.
 *
 * @param {Run} run
 */
export function keepRun(run) {
  const others = recentRuns(run.startedAt).filter(({ id }) => id !== run.id);
  store([run, ...others].slice(0, MAX_RUNS));
}

/**
 * Removes a run.
 *
 * @param {string} id
 * @param {number} now
 */
export function forgetRun(id, now) {
  store(recentRuns(now).filter((run) => run.id !== id));
}

/** @param {readonly Run[]} runs */
function store(runs) {
  try {
    localStorage.setItem(NAME, JSON.stringify(runs));
  } catch {
    // The runs are lost with the tab.
  }
}
