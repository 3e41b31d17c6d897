/**
 * A retry policy: repeats a request while the server is full, starting,
 * stopping or unreachable.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { ProblemError, UnreachableError } from "./problem.js";

/**
 * @typedef {{ reason: string, seconds: number | undefined }} Wait
 * Reason of a wait, and the seconds that remain if they are known.
 *
 * @typedef {object} RetryPolicy
 * @property {AbortSignal} signal Aborts the wait.
 * @property {(wait: Wait | undefined) => void} onWait Called every second, and
 *   with undefined when the wait is over.
 * @property {() => Promise<void>} whenBack Resolves when the server is
 *   reachable and ready.
 */

/** Codes of transient problems. */
const TRANSIENT = new Set(["overloaded", "quota-exceeded", "draining"]);

/** Delay before the next attempt if the server gives no Retry-After. */
const DEFAULT_SECONDS = 2;

/**
 * Returns the result of `attempt`, which is repeated until the server can
 * answer.
 *
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {RetryPolicy} retryPolicy
 * @returns {Promise<T>}
 */
export async function withRetries(attempt, retryPolicy) {
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (!await outlasted(error, retryPolicy)) throw error;
    }
  }
}

/**
 * Waits until the cause of `error` is likely to be over.
 *
 * @param {unknown} error
 * @param {RetryPolicy} retryPolicy
 * @returns {Promise<boolean>} False if waiting does not help.
 */
export async function outlasted(error, { signal, onWait, whenBack }) {
  if (signal.aborted) return false;
  try {
    if (error instanceof UnreachableError || isAway(error)) {
      onWait({ reason: error.message, seconds: undefined });
      if (error instanceof ProblemError) {
        await countDown(
          error.retryAfterSeconds ?? DEFAULT_SECONDS,
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
    if (!(error instanceof ProblemError) || !TRANSIENT.has(error.code)) {
      return false;
    }
    const seconds = error.retryAfterSeconds ?? DEFAULT_SECONDS;
    await countDown(seconds, error.message, { signal, onWait });
    return true;
  } finally {
    onWait(undefined);
  }
}

/**
 * Returns true if the server is starting, stopping or went away during a
 * request.
 *
 * @param {unknown} error
 * @returns {error is ProblemError}
 */
function isAway(error) {
  return error instanceof ProblemError && (
    error.code === "interrupted" || error.code === "shutting-down" ||
    (error.code === "not-ready" && error.retryAfterSeconds !== undefined) ||
    // Answer of a proxy whose server is away.
    (error.code === "" && error.retryable)
  );
}

/**
 * @param {number} seconds
 * @param {string} reason
 * @param {Pick<RetryPolicy, "signal" | "onWait">} retryPolicy
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
