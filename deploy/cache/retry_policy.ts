/**
 * The retry policy: decides which failures to retry, when, and how often.
 *
 * @module
 */

import { delay } from "../../lib/async/delay.ts";
import { RemoteError } from "./net/remote.ts";

/** Limits on the failures of a place. */
export interface RetryPolicy {
  /** Attempts without further bytes before giving up. */
  readonly attempts: number;
  /** Wait after the first failure; doubled after each further one. */
  readonly baseMs: number;
  /** Upper bound of those waits. */
  readonly maxMs: number;
  /** Time without a byte after which a connection counts as dead. */
  readonly stallMs: number;
  /**
   * Random numbers from 0 to 1 that spread the retries of concurrent clients.
   */
  readonly random: () => number;
}

/**
 * The policy of downloads: retries for about two minutes, enough for a server's
 * restart.
 */
export const DOWNLOAD_RETRIES: RetryPolicy = {
  attempts: 8,
  baseMs: 500,
  maxMs: 30_000,
  stallMs: 30_000,
  random: Math.random,
};

/** The policy of uploads: the response to a part may take minutes. */
export const UPLOAD_RETRIES: RetryPolicy = {
  ...DOWNLOAD_RETRIES,
  // One part at 1 Mbit/s.
  stallMs: 600_000,
};

/** A counter of attempts at one operation. */
export class Attempts {
  readonly #retryPolicy: RetryPolicy;
  readonly #signal: AbortSignal;
  #failed = 0;

  /** Creates a counter; `signal` ends the waits between attempts. */
  constructor(retryPolicy: RetryPolicy, signal: AbortSignal) {
    this.#retryPolicy = retryPolicy;
    this.#signal = signal;
  }

  /**
   * Waits for the delay after `error`.
   *
   * @param progress True if the attempt made progress before it failed.
   * @throws `error`, when another attempt is useless.
   */
  async after(error: unknown, progress: boolean): Promise<void> {
    this.#signal.throwIfAborted();
    if (!(error instanceof RemoteError) || error.remedy.type !== "retry") {
      throw error;
    }
    this.#failed = progress ? 1 : this.#failed + 1;
    const { attempts, baseMs, maxMs, random } = this.#retryPolicy;
    if (this.#failed >= attempts) throw error;
    const longest = Math.min(maxMs, baseMs * 2 ** (this.#failed - 1));
    const wait = error.remedy.retryAfterMs ?? longest * (0.5 + random() / 2);
    await delay(wait, this.#signal);
    this.#signal.throwIfAborted();
  }
}

/**
 * Returns the result of `work`, after retries if necessary.
 *
 * @param what Description of the operation, for messages.
 */
export async function withRetries<T>(
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  retryPolicy: RetryPolicy,
  signal: AbortSignal,
): Promise<T> {
  const attempts = new Attempts(retryPolicy, signal);
  for (;;) {
    using watch = new StallWatch(retryPolicy.stallMs, signal);
    try {
      return await work(watch.signal);
    } catch (error) {
      await attempts.after(watch.explain(error, what), false);
    }
  }
}

/** Checks within the time that makes a connection count as dead. */
const LOOKS = 4;

/** A watch that aborts a stalled operation. */
export class StallWatch implements Disposable {
  readonly #stallMs: number;
  readonly #stalled = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  // Checks are counted, not time: a busy thread may have missed progress.
  #looks = 0;
  /** Signal that aborts on a stall, or with the caller's signal. */
  readonly signal: AbortSignal;

  /** Aborts after `stallMs` without progress, or with `signal`. */
  constructor(stallMs: number, signal: AbortSignal) {
    this.#stallMs = stallMs;
    this.signal = AbortSignal.any([signal, this.#stalled.signal]);
    this.#timer = setInterval(() => {
      if (++this.#looks > LOOKS) this.#stalled.abort();
    }, stallMs / LOOKS);
  }

  /** Records progress. */
  moved(): void {
    this.#looks = 0;
  }

  /**
   * Returns the error of a stall in place of `error`, if the abort caused it.
   *
   * @param what Description of the stalled operation, for messages.
   */
  explain(error: unknown, what: string): unknown {
    if (!this.#stalled.signal.aborted) return error;
    return new RemoteError(
      `Cannot reach ${what}: no data arrived for ${this.#stallMs / 1000} s`,
      { type: "retry", retryAfterMs: undefined },
    );
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
