/**
 * A weighted semaphore: requests take shares of a fixed amount, bytes or
 * pixels, and wait in a bounded queue while there is not enough left.
 *
 * The queue is in {@linkcode FairOrder}: one caller alone is served first come,
 * first served; several get equal amounts however many requests each has
 * waiting. No request overtakes the first in the queue, so large ones do not
 * starve.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { FairOrder } from "./fair_order.ts";
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
  readonly grant: (share: Share) => void;
}

/** Seconds until a retry, before any share was given back. */
const FIRST_GUESS_S = 1;

/** The longest time that is foreseen, in seconds. */
const MAX_RETRY_S = 600;

/** The weight of the past in the average time per amount. */
const MEMORY = 0.8;

/** Counts what is held and queues who has to wait. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #places: FairShare;
  /** Requests that wait or hold a share. */
  readonly #queue = new FairOrder<Waiter>();
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
    return this.#queue.size;
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
    const { promise, resolve, reject } = Promise.withResolvers<Share>();
    const needed = Math.min(amount, this.total);
    const waiter: Waiter = { amount: needed, caller, urgent, grant: resolve };
    const waits = !(this.#mayPass(urgent) && this.#fits(needed));
    if (waits && !urgent && !this.#places.take(caller, 1)) {
      throw new OverloadedError(this.#retryAfterSeconds(needed));
    }
    this.#queue.add(waiter, caller, needed);
    if (!waits) return this.#grant(waiter);
    const leave = () => {
      // What was granted in this turn of the event loop is the caller's.
      if (!this.#queue.order.includes(waiter)) return;
      this.#queue.remove(waiter);
      this.#leaveQueue(waiter);
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
    const first = this.#next();
    return first === undefined || (urgent && !first.urgent);
  }

  #fits(amount: number): boolean {
    return this.#held + amount <= this.total;
  }

  #serve(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined || !this.#fits(next.amount)) return;
      const share = this.#grant(next);
      this.#leaveQueue(next);
      next.grant(share);
    }
  }

  /** The first in the queue. */
  #next(): Waiter | undefined {
    const { order } = this.#queue;
    return order.find(({ urgent }) => urgent) ?? order[0];
  }

  /** Gives back what one that waited held of the queue. */
  #leaveQueue({ caller, urgent }: Waiter): void {
    if (!urgent) this.#places.release(caller, 1);
    if (this.waiting === 0) this.#releasedAt = undefined;
  }

  #grant(waiter: Waiter): Share {
    const { amount } = waiter;
    this.#queue.start(waiter);
    this.#held += amount;
    const grantedAt = this.#options.now();
    let left = amount;
    const shrink = (to: number) => {
      const given = left - Math.max(0, to);
      if (given <= 0) return;
      left -= given;
      if (left === 0) this.#queue.remove(waiter);
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

  #release(amount: number, grantedAt: number): void {
    const now = this.#options.now();
    const since = this.#releasedAt ?? grantedAt;
    const sample = (now - since) / amount;
    this.#msPerUnit = this.#msPerUnit === undefined
      ? sample
      : MEMORY * this.#msPerUnit + (1 - MEMORY) * sample;
    this.#held -= amount;
    this.#serve();
    this.#releasedAt = this.waiting > 0 ? now : undefined;
  }

  /** The seconds until the first in the queue has left it. */
  #retryAfterSeconds(amount: number): number {
    if (this.#msPerUnit === undefined) return FIRST_GUESS_S;
    const first = this.#next()?.amount ?? amount;
    const seconds = this.#msPerUnit * Math.max(first, amount) / 1000;
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(seconds)));
  }
}
