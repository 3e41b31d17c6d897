/**
 * The concurrency limit: bounds the requests with a body that are worked on at
 * once, and says when to retry.
 *
 * Bodies and pictures take memory long before they reach a queue that counts
 * them. Places are shared by callers (see `caller.ts`): one caller alone may
 * take the whole limit, and a third more places are left to others, so that no
 * caller can keep another out.
 *
 * A refused request, here or by a full queue behind, is told when the next place
 * of its caller is likely to be free, the one after it one place later, and so
 * on. All that retry when they were told find room, as long as the pace stays;
 * if all were told the same, all but one would retry in vain.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { FairShare } from "../../lib/async/fair_share.ts";
import { OverloadedError } from "../../lib/errors.ts";
import type { AppEnv } from "../http/context.ts";
import { doesWork } from "../shutdown/work.ts";

/** The weight of the past in the average time between places. */
const MEMORY = 0.9;

/** The pace before anything is measured. */
const GUESS_MS = 250;

/** After so long without a refusal, places are no longer in demand. */
const DEMAND_MS = 10_000;

/** The longest wait that is promised. */
const MAX_PROMISE_MS = 600_000;

/** Callers whose pace is remembered; the least recent is forgotten first. */
const MAX_CALLERS = 10_000;

/** The pace and the promises of a caller's places. */
class Ledger {
  /** Time between one place and the next, smoothed; in milliseconds. */
  pace: number | undefined;
  /** Time at which a request left last while places were in demand. */
  leftAt: number | undefined;
  refusedAt = -Infinity;
  /** Time at which the last refused request was told to retry. */
  promised = 0;
}

/** Counts requests by caller, and promises places. */
export class ConcurrencyLimiter {
  readonly #places: FairShare;
  readonly #now: () => number;
  readonly #ledgers = new Map<string, Ledger>();
  /** The pace measured last, for callers without one of their own. */
  #lastPace: number | undefined;

  /**
   * Starts with all places free.
   *
   * @param limit Places of one caller alone. A third more, and one at least, is
   * there in all.
   * @param now A clock, in milliseconds.
   */
  constructor(limit: number, now: () => number) {
    this.#places = new FairShare(limit, 1);
    this.#now = now;
  }

  /**
   * Takes a place.
   *
   * @returns When, for {@linkcode leave}.
   * @throws {OverloadedError} When `caller` has as many as it may.
   */
  enter(caller: string): number {
    if (this.#places.take(caller, 1)) return this.#now();
    throw new OverloadedError(this.retryAfterSeconds(caller));
  }

  /** Frees the place of a request that is done. */
  leave(caller: string, enteredAt: number): void {
    const now = this.#now();
    const ledger = this.#ledger(caller);
    // While places are wanted, how fast they become free shows as it is;
    // otherwise as how long many together take for one (Little's law).
    const wanted = now - ledger.refusedAt <= DEMAND_MS;
    const elapsed = wanted && ledger.leftAt !== undefined
      ? now - ledger.leftAt
      : (now - enteredAt) / this.#places.heldBy(caller);
    ledger.pace = ledger.pace === undefined
      ? elapsed
      : MEMORY * ledger.pace + (1 - MEMORY) * elapsed;
    ledger.leftAt = wanted ? now : undefined;
    this.#lastPace = ledger.pace;
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
      (ledger.pace ?? this.#lastPace ?? GUESS_MS);
    ledger.promised = Math.min(next, now + MAX_PROMISE_MS);
    return Math.max(1, Math.ceil((ledger.promised - now) / 1000));
  }

  #ledger(caller: string): Ledger {
    const ledger = this.#ledgers.get(caller) ?? new Ledger();
    this.#ledgers.delete(caller);
    this.#ledgers.set(caller, ledger);
    if (this.#ledgers.size > MAX_CALLERS) {
      const [oldest] = this.#ledgers.keys();
      this.#ledgers.delete(oldest!);
    }
    return ledger;
  }
}

/** Limits the requests of each caller that do work to `limit` at once. */
export function limitConcurrency(
  limit: number,
  now: () => number = () => performance.now(),
): MiddlewareHandler<AppEnv> {
  const limiter = new ConcurrencyLimiter(limit, now);
  return async (c, next) => {
    if (!doesWork(c.req.method, c.req.path)) return await next();
    const caller = c.get("caller");
    const enteredAt = limiter.enter(caller);
    try {
      await next();
    } finally {
      if (c.error instanceof OverloadedError) {
        limiter.reject(caller);
        // The queue knows when its next place is free, not who wants it.
        const { retryAfterSeconds } = c.error;
        const seconds = Math.max(
          limiter.retryAfterSeconds(caller),
          retryAfterSeconds,
        );
        c.res.headers.set("retry-after", `${seconds}`);
      } else {
        // An answer that waits for its reader takes memory as its work did.
        const sent = c.env?.sent ?? c.get("ended");
        if (sent === undefined) limiter.leave(caller, enteredAt);
        else sent.then(() => limiter.leave(caller, enteredAt));
      }
    }
  };
}
