/**
 * The concurrency limiter: shares slots among callers, and computes the
 * Retry-After of a refused request.
 *
 * One caller alone may use the whole limit, and a third more slots remain for
 * others, so that no caller can block another.
 *
 * The Retry-After of a request that is refused, here or by a full queue behind
 * the limiter, is the estimated time at which its caller's next slot becomes
 * free; that of the following request is one slot later, and so on. While the
 * pace stays the same, every retry at its time finds a free slot; with the same
 * time for all, all but one would be refused again.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import { OverloadedError } from "../errors.ts";
import { FairShare } from "./fair_share.ts";
import { MovingAverage } from "./moving_average.ts";

/** The decay of the moving average of time between free slots. */
const MEMORY = 0.9;

/** The assumed pace before the first measurement, in milliseconds. */
const DEFAULT_PACE_MS = 250;

/** The time without a refusal after which slots are not in demand. */
const DEMAND_MS = 10_000;

/** The maximum wait that Retry-After reports. */
const MAX_RETRY_MS = 600_000;

/**
 * The maximum number of callers whose pace is stored; the least recent is
 * evicted first.
 */
const MAX_CALLERS = 10_000;

/**
 * The pace at which a caller's slots become free, and the retry times already
 * returned.
 */
class Ledger {
  /** Time between one free slot and the next, in milliseconds. */
  readonly pace = new MovingAverage(MEMORY);
  /** Time at which the last request left while slots were in demand. */
  leftAt: number | undefined;
  refusedAt = -Infinity;
  /** Retry time of the last refused request. */
  lastRetryAt = 0;
}

/** A counter of requests by caller that computes retry times. */
export class ConcurrencyLimiter {
  readonly #slots: FairShare;
  readonly #now: () => number;
  readonly #ledgers = new LRUCache<string, Ledger>({ max: MAX_CALLERS });
  /** Last measured pace, for callers without a measurement. */
  #lastPace: number | undefined;

  /**
   * Creates a limiter with all slots free.
   *
   * @param limit Number of slots of one caller. In total there are a third
   * more, at least one.
   * @param now Clock in milliseconds.
   */
  constructor(limit: number, now: () => number) {
    this.#slots = new FairShare(limit, 1);
    this.#now = now;
  }

  /** Returns true if {@linkcode enter} would succeed. */
  fits(caller: string): boolean {
    return this.#slots.fits(caller, 1);
  }

  /**
   * Takes a slot.
   *
   * @returns Time of entry, for {@linkcode leave}.
   * @throws {OverloadedError} If `caller` has reached its limit.
   */
  enter(caller: string): number {
    if (this.#slots.take(caller, 1)) return this.#now();
    throw new OverloadedError(this.retryAfterSeconds(caller));
  }

  /** Frees the slot of a request that is done. */
  leave(caller: string, enteredAt: number): void {
    const now = this.#now();
    const ledger = this.#ledger(caller);
    // While slots are in demand, the pace is the time between two that become
    // free; otherwise it follows from the duration by Little's law.
    const wanted = now - ledger.refusedAt <= DEMAND_MS;
    const elapsed = wanted && ledger.leftAt !== undefined
      ? now - ledger.leftAt
      : (now - enteredAt) / this.#slots.heldBy(caller);
    ledger.pace.add(elapsed);
    ledger.leftAt = wanted ? now : undefined;
    this.#lastPace = ledger.pace.mean;
    this.reject(caller);
  }

  /** Frees the slot of a request that was refused behind the limiter. */
  reject(caller: string): void {
    this.#slots.release(caller, 1);
  }

  /** Returns the Retry-After seconds for a request that is refused. */
  retryAfterSeconds(caller: string): number {
    const now = this.#now();
    const ledger = this.#ledger(caller);
    ledger.refusedAt = now;
    const next = Math.max(now, ledger.lastRetryAt) +
      (ledger.pace.mean ?? this.#lastPace ?? DEFAULT_PACE_MS);
    ledger.lastRetryAt = Math.min(next, now + MAX_RETRY_MS);
    return Math.max(1, Math.ceil((ledger.lastRetryAt - now) / 1000));
  }

  #ledger(caller: string): Ledger {
    const ledger = this.#ledgers.get(caller) ?? new Ledger();
    this.#ledgers.set(caller, ledger);
    return ledger;
  }
}
