/**
 * When to ask again, and when to give up.
 *
 * @module
 */

import { pause } from "./base/pause.ts";
import { RemoteError } from "./net/remote.ts";

/** How much of a place's trouble is borne. */
export interface RetryPolicy {
  /** Attempts without a byte more, until it is given up. */
  readonly attempts: number;
  /** Wait after the first failure; doubled with each that follows. */
  readonly baseMs: number;
  /** Longest of those waits. */
  readonly maxMs: number;
  /** Without a byte for so long a connection counts as dead. */
  readonly stallMs: number;
  /** From 0 to 1: keeps many who failed together from coming back together. */
  readonly random: () => number;
}

/** Bears restarts of servers and bad lines, for about two minutes. */
export const PATIENT: RetryPolicy = {
  attempts: 8,
  baseMs: 500,
  maxMs: 30_000,
  stallMs: 30_000,
  random: Math.random,
};

/** The same for uploads: a part may take minutes until it is answered. */
export const PATIENT_UPLOAD: RetryPolicy = {
  ...PATIENT,
  // A part on a line of 1 Mbit/s.
  stallMs: 600_000,
};

/** Attempts at one thing. */
export class Attempts {
  readonly #patience: RetryPolicy;
  readonly #signal: AbortSignal;
  #failed = 0;

  /** None yet; `signal` ends the waits between them. */
  constructor(patience: RetryPolicy, signal: AbortSignal) {
    this.#patience = patience;
    this.#signal = signal;
  }

  /**
   * Waits as is due after `error`.
   *
   * @param progress Whether the attempt brought something all the same.
   * @throws `error`, when another attempt is no use.
   */
  async after(error: unknown, progress: boolean): Promise<void> {
    this.#signal.throwIfAborted();
    if (!(error instanceof RemoteError) || error.remedy.type !== "retry") {
      throw error;
    }
    this.#failed = progress ? 1 : this.#failed + 1;
    const { attempts, baseMs, maxMs, random } = this.#patience;
    if (this.#failed >= attempts) throw error;
    const longest = Math.min(maxMs, baseMs * 2 ** (this.#failed - 1));
    const wait = error.remedy.retryAfterMs ?? longest * (0.5 + random() / 2);
    await pause(wait, this.#signal);
  }
}

/**
 * What `work` answers, once it does.
 *
 * @param what For people: whom it asks.
 */
export async function patiently<T>(
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  patience: RetryPolicy,
  signal: AbortSignal,
): Promise<T> {
  const attempts = new Attempts(patience, signal);
  for (;;) {
    using watch = new StallWatch(patience.stallMs, signal);
    try {
      return await work(watch.signal);
    } catch (error) {
      await attempts.after(watch.explain(error, what), false);
    }
  }
}

/** Looks during the time that makes a connection count as dead. */
const LOOKS = 4;

/** Aborts what has not moved for a while. */
export class StallWatch implements Disposable {
  readonly #stallMs: number;
  readonly #stalled = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  // Looks, not time: a thread that was busy has not listened meanwhile.
  #looks = 0;
  /** Aborted when nothing moves, or from outside. */
  readonly signal: AbortSignal;

  /** Aborts after `stallMs` without a move, or with `signal`. */
  constructor(stallMs: number, signal: AbortSignal) {
    this.#stallMs = stallMs;
    this.signal = AbortSignal.any([signal, this.#stalled.signal]);
    this.#timer = setInterval(() => {
      if (++this.#looks > LOOKS) this.#stalled.abort();
    }, stallMs / LOOKS);
  }

  /** Notes that something has moved. */
  moved(): void {
    this.#looks = 0;
  }

  /**
   * What `error` is if it came of the abort.
   *
   * @param what For people: what stood still.
   */
  explain(error: unknown, what: string): unknown {
    if (!this.#stalled.signal.aborted) return error;
    return new RemoteError(
      `Cannot reach ${what}: no byte came for ${this.#stallMs / 1000} s`,
      { type: "retry", retryAfterMs: undefined },
    );
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
