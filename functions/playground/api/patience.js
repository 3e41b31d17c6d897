/**
 * Asking again when the server says that this will help: it is full, starts,
 * stops, or is not there.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { ProblemError, UnreachableError } from "./problem.js";

/**
 * @typedef {{ reason: string, seconds: number | undefined }} Wait
 * Why it is waited, and how much longer if that is known.
 *
 * @typedef {object} Patience
 * @property {AbortSignal} signal Ends waiting.
 * @property {(wait: Wait | undefined) => void} onWait Told every second, and
 * with undefined when waiting is over.
 * @property {() => Promise<void>} whenBack Resolves when the server is there
 * and ready.
 */

/** Kinds of problems that pass. */
const PASSING = new Set(["overloaded", "quota-exceeded", "draining"]);

/** The server is back soon where it does not say when. */
const SOON_SECONDS = 2;

/**
 * What `attempt` gives, as soon as the server can.
 *
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {Patience} patience
 * @returns {Promise<T>}
 */
export async function patiently(attempt, patience) {
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (!await outlasted(error, patience)) throw error;
    }
  }
}

/**
 * Waits until what `error` tells of is likely to be over.
 *
 * @param {unknown} error
 * @param {Patience} patience
 * @returns {Promise<boolean>} False when waiting does not help.
 */
export async function outlasted(error, { signal, onWait, whenBack }) {
  if (signal.aborted) return false;
  try {
    if (error instanceof UnreachableError || isAbsence(error)) {
      onWait({ reason: error.message, seconds: undefined });
      if (error instanceof ProblemError) {
        await countDown(
          error.retryAfterSeconds ?? SOON_SECONDS,
          error.message,
          {
            signal,
            onWait,
          },
        );
      }
      await whenBack();
      return true;
    }
    if (!(error instanceof ProblemError) || !PASSING.has(error.code)) {
      return false;
    }
    const seconds = error.retryAfterSeconds ?? SOON_SECONDS;
    await countDown(seconds, error.message, { signal, onWait });
    return true;
  } finally {
    onWait(undefined);
  }
}

/**
 * Whether the server starts, stops or went away in the middle.
 *
 * @param {unknown} error
 * @returns {error is ProblemError}
 */
function isAbsence(error) {
  return error instanceof ProblemError && (
    error.code === "interrupted" || error.code === "shutting-down" ||
    (error.code === "not-ready" && error.retryAfterSeconds !== undefined) ||
    // Of a proxy whose server is away.
    (error.code === "" && error.retryable)
  );
}

/**
 * @param {number} seconds
 * @param {string} reason
 * @param {Pick<Patience, "signal" | "onWait">} patience
 */
async function countDown(seconds, reason, { signal, onWait }) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const left = end - performance.now();
    if (left <= 0) return;
    onWait({ reason, seconds: Math.ceil(left / 1000) });
    await sleep(Math.min(left, 1000), signal);
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}
