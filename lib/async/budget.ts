/**
 * A weighted semaphore: requests take shares of a fixed amount, bytes or
 * pixels, and wait in a bounded queue while there is not enough left.
 *
 * The queue is start-time fair (Goyal, Vin and Cheng, 1996): each caller has a
 * virtual clock that advances by what it takes, and the request with the
 * earliest start goes next. One caller alone is served first come, first
 * served; several get equal amounts however many requests each has waiting. No
 * request overtakes the first in the queue, so large ones do not starve.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { FairShare } from "./fair_share.ts";

/** The size of a budget and of its queue. */
export interface BudgetOptions {
  /** The amount that all shares have together. */
  readonly total: number;
  /** Requests of one caller that may wait; a third more wait in all. */
  readonly maxWaiting: number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** Options of {@linkcode Budget.acquire}. */
export interface AcquireOptions {
  /** Removes the request from the queue. */
  readonly signal?: AbortSignal | undefined;
  /** The caller that waits its turn among others; all are one by default. */
  readonly caller?: string | undefined;
  /**
   * For work that is done already but for this: it goes before all others and
   * is never refused.
   */
  readonly urgent?: boolean;
}

/** A part of a budget, held until it is disposed. */
export interface Share extends Disposable {
  /** The amount held. */
  readonly amount: number;
  /** Gives back all above `amount`; does nothing when less is held. */
  shrink(amount: number): void;
}

interface Waiter {
  readonly amount: number;
  readonly caller: string;
  readonly urgent: boolean;
  /** Its place in the queue, in virtual time. */
  readonly start: number;
  readonly grant: (share: Share) => void;
}

/** Seconds until a retry, before any share was given back. */
const FIRST_GUESS_S = 1;

/** The longest time that is foreseen, in seconds. */
const MAX_RETRY_S = 600;

/** How slowly the average time per amount forgets. */
const MEMORY = 0.8;

/** Counts what is held and queues who has to wait. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #places: FairShare;
  /** In order of arrival. */
  readonly #waiting: Waiter[] = [];
  /** The virtual time at which each caller's next request starts. */
  readonly #clocks = new Map<string, number>();
  /** The start of the request that was granted last. */
  #virtual = 0;
  #held = 0;
  /** Milliseconds between two units that are given back, smoothed. */
  #msPerUnit: number | undefined;
  /** Time of the last release while requests waited. */
  #releasedAt: number | undefined;

  /** Starts with nothing held. */
  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#places = new FairShare(options.maxWaiting);
  }

  /** The amount that all shares have together. */
  get total(): number {
    return this.#options.total;
  }

  /** The amount that is held. */
  get held(): number {
    return this.#held;
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes `amount`, as soon as it is there. More than the total counts as the
   * total: it is granted when nothing else is held.
   *
   * @throws {OverloadedError} When the queue is full.
   * @throws The signal's reason when it aborts first.
   */
  async acquire(
    amount: number,
    { signal, caller = "", urgent = false }: AcquireOptions = {},
  ): Promise<Share> {
    signal?.throwIfAborted();
    const needed = Math.min(amount, this.total);
    const start = Math.max(this.#virtual, this.#clocks.get(caller) ?? 0);
    if (this.#mayPass(urgent) && this.#fits(needed)) {
      return this.#grant({ amount: needed, caller, start });
    }
    if (!urgent && !this.#places.take(caller, 1)) {
      throw new OverloadedError(this.#retryAfterSeconds(needed));
    }
    this.#clocks.set(caller, start + needed);
    const { promise, resolve, reject } = Promise.withResolvers<Share>();
    const waiter: Waiter = {
      amount: needed,
      caller,
      urgent,
      start,
      grant: resolve,
    };
    this.#waiting.push(waiter);
    const leave = () => {
      // What was granted in this turn of the event loop is the caller's.
      if (!this.#waiting.includes(waiter)) return;
      this.#remove(waiter);
      reject(signal?.reason);
      // Others may have waited for this one only.
      this.#serve();
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  #mayPass(urgent: boolean): boolean {
    return urgent
      ? this.#waiting.every((waiter) => !waiter.urgent)
      : this.#waiting.length === 0;
  }

  #fits(amount: number): boolean {
    return this.#held + amount <= this.total;
  }

  #serve(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined || !this.#fits(next.amount)) return;
      this.#remove(next);
      next.grant(this.#grant(next));
    }
  }

  /** The first in the queue. */
  #next(): Waiter | undefined {
    let first: Waiter | undefined;
    for (const waiter of this.#waiting) {
      if (first === undefined || goesBefore(waiter, first)) first = waiter;
    }
    return first;
  }

  #remove(waiter: Waiter): void {
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    if (!waiter.urgent) this.#places.release(waiter.caller, 1);
    if (this.#waiting.length === 0) this.#releasedAt = undefined;
  }

  #grant(
    { amount, caller, start }: Pick<Waiter, "amount" | "caller" | "start">,
  ): Share {
    this.#held += amount;
    this.#virtual = Math.max(this.#virtual, start);
    const clock = Math.max(start + amount, this.#clocks.get(caller) ?? 0);
    this.#clocks.set(caller, clock);
    this.#forgetClocks();
    const grantedAt = this.#options.now();
    let left = amount;
    const shrink = (to: number) => {
      const given = left - Math.max(0, to);
      if (given <= 0) return;
      left -= given;
      this.#release(given, grantedAt);
    };
    return {
      get amount() {
        return left;
      },
      shrink,
      [Symbol.dispose]: () => shrink(0),
    };
  }

  /** A clock in the past means no more than none, nor does any on an idle budget. */
  #forgetClocks(): void {
    const idle = this.#waiting.length === 0 && this.#held === 0;
    for (const [caller, clock] of this.#clocks) {
      if (idle || clock <= this.#virtual) this.#clocks.delete(caller);
    }
    if (idle) this.#virtual = 0;
  }

  #release(amount: number, grantedAt: number): void {
    const now = this.#options.now();
    const since = this.#releasedAt ?? grantedAt;
    const sample = (now - since) / amount;
    this.#msPerUnit = this.#msPerUnit === undefined
      ? sample
      : MEMORY * this.#msPerUnit + (1 - MEMORY) * sample;
    this.#held -= amount;
    this.#serve();
    if (this.#held === 0) this.#forgetClocks();
    this.#releasedAt = this.#waiting.length > 0 ? now : undefined;
  }

  /** The seconds until the first in the queue has left it. */
  #retryAfterSeconds(amount: number): number {
    if (this.#msPerUnit === undefined) return FIRST_GUESS_S;
    const first = this.#next()?.amount ?? amount;
    const seconds = this.#msPerUnit * Math.max(first, amount) / 1000;
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(seconds)));
  }
}

function goesBefore(one: Waiter, other: Waiter): boolean {
  return one.urgent === other.urgent ? one.start < other.start : one.urgent;
}
