/**
 * The concurrency limiter: shares places among callers, and computes the
 * Retry-After of a refused request.
 *
 * One caller alone may use the whole limit, and a third more places remain for
 * others, so that no caller can block another.
 *
 * The Retry-After of a refused request, here or by a full queue behind, is the
 * time when its caller's next place is likely to be free; that of the following
 * one is one place later, and so on. While the pace stays, all that retry on
 * time find a place; with the same time for all, all but one would retry in
 * vain.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import { OverloadedError } from "../errors.ts";
import { FairShare } from "./fair_share.ts";
import { MovingAverage } from "./moving_average.ts";

/** The weight of past values in the average time between places. */
const MEMORY = 0.9;

/** The assumed pace before the first measurement, in milliseconds. */
const GUESS_MS = 250;

/** The time without a refusal after which places are not in demand. */
const DEMAND_MS = 10_000;

/** The maximum wait that Retry-After reports. */
const MAX_PROMISE_MS = 600_000;

/**
 * The maximum callers whose pace is stored; the least recent is evicted first.
 */
const MAX_CALLERS = 10_000;

/** The pace of a caller's places, and the retry times that were given out. */
class Ledger {
  /** Time between one place and the next, in milliseconds. */
  readonly pace = new MovingAverage(MEMORY);
  /** Time at which the last request left while places were in demand. */
  leftAt: number | undefined;
  refusedAt = -Infinity;
  /** Retry time of the last refused request. */
  promised = 0;
}

/** A counter of requests by caller that computes retry times. */
export class ConcurrencyLimiter {
  readonly #places: FairShare;
  readonly #now: () => number;
  readonly #ledgers = new LRUCache<string, Ledger>({ max: MAX_CALLERS });
  /** Last measured pace, for callers without one of their own. */
  #lastPace: number | undefined;

  /**
   * Creates a limiter with all places free.
   *
   * @param limit Places of one caller. In all there are a third more, at least
   * one.
   * @param now Clock in milliseconds.
   */
  constructor(limit: number, now: () => number) {
    this.#places = new FairShare(limit, 1);
    this.#now = now;
  }

  /**
   * Takes a place.
   *
   * @returns Time of entry, for {@linkcode leave}.
   * @throws {OverloadedError} If `caller` has reached its limit.
   */
  enter(caller: string): number {
    if (this.#places.take(caller, 1)) return this.#now();
    throw new OverloadedError(this.retryAfterSeconds(caller));
  }

  /** Frees the place of a request that is done. */
  leave(caller: string, enteredAt: number): void {
    const now = this.#now();
    const ledger = this.#ledger(caller);
    // While places are in demand, the pace is the time between two that become
    // free; otherwise it follows from the duration by Little's law.
    const wanted = now - ledger.refusedAt <= DEMAND_MS;
    const elapsed = wanted && ledger.leftAt !== undefined
      ? now - ledger.leftAt
      : (now - enteredAt) / this.#places.heldBy(caller);
    ledger.pace.add(elapsed);
    ledger.leftAt = wanted ? now : undefined;
    this.#lastPace = ledger.pace.mean;
    this.reject(caller);
  }

  /** Frees the place of a request that was refused behind the limit. */
  reject(caller: string): void {
    this.#places.release(caller, 1);
  }

  /** Returns the Retry-After seconds for a request that is refused. */
  retryAfterSeconds(caller: string): number {
    const now = this.#now();
    const ledger = this.#ledger(caller);
    ledger.refusedAt = now;
    const next = Math.max(now, ledger.promised) +
      (ledger.pace.mean ?? this.#lastPace ?? GUESS_MS);
    ledger.promised = Math.min(next, now + MAX_PROMISE_MS);
    return Math.max(1, Math.ceil((ledger.promised - now) / 1000));
  }

  #ledger(caller: string): Ledger {
    const ledger = this.#ledgers.get(caller) ?? new Ledger();
    this.#ledgers.set(caller, ledger);
    return ledger;
  }
}
