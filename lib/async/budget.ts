/**
 * The weighted semaphore: requests take shares of a fixed amount of bytes or
 * pixels, and wait in a bounded queue while too little is available.
 *
 * The queue is in {@linkcode FairOrder}: one caller alone is served first come,
 * first served; several receive equal amounts, independent of their numbers of
 * waiting requests. Small requests pass large ones by the rule of
 * `size_priority.ts`; no other request overtakes the first in the queue, so
 * large ones do not starve.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { FairOrder } from "./fair_order.ts";
import { FairShare } from "./fair_share.ts";
import { MovingAverage } from "./moving_average.ts";
import {
  type SizedRequest,
  SizePriority,
  type SizePriorityOptions,
} from "./size_priority.ts";

/** Options of {@linkcode Budget}. */
export interface BudgetOptions extends SizePriorityOptions {
  /** The maximum amount of a small request; none is small by default. */
  readonly smallAmount?: number | undefined;
  /** Requests of one caller that may wait; a third more wait in all. */
  readonly maxWaiting: number;
  /**
   * The longest time that a request may wait, as estimated from the pace of the
   * queue, in milliseconds; no limit by default.
   */
  readonly maxWaitMs?: number | undefined;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** Options of {@linkcode Budget.acquire}. */
export interface AcquireOptions {
  /** Removes the request from the queue. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The caller that the request is queued for; all requests share one by
   * default.
   */
  readonly caller?: string | undefined;
  /**
   * True for the last step of a task that is otherwise complete: it precedes
   * all other requests and is never refused.
   */
  readonly urgent?: boolean;
  /** Called once the request is granted or queued. */
  readonly onAdmitted?: (() => void) | undefined;
}

/** A part of a budget, held until it is disposed. */
export interface Share extends Disposable {
  /** The amount held. */
  readonly amount: number;
  /** Releases everything above `amount`; does nothing if less is held. */
  shrink(amount: number): void;
}

interface Waiter extends SizedRequest {
  readonly caller: string;
  readonly urgent: boolean;
  readonly grant: (share: Share) => void;
}

/** Retry-After seconds before any share was released. */
const FIRST_GUESS_S = 1;

/** The maximum Retry-After, in seconds. */
const MAX_RETRY_S = 600;

/** The decay of the moving average of time per amount. */
const MEMORY = 0.8;

/** The number of releases from a queue before its pace is used. */
const MIN_RELEASES = 4;

/** Counts the amounts that are held and queues requests that have to wait. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #capacity: FairShare;
  /** Requests that wait or hold a share. */
  readonly #queue = new FairOrder<Waiter>();
  readonly #division: SizePriority<Waiter>;
  /** Milliseconds between releases, by the amounts released. */
  readonly #pace = new MovingAverage(MEMORY);
  /** Time of the last release, or of the first request that waits. */
  #releasedAt: number | undefined;

  /** Creates a budget of which nothing is held. */
  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#capacity = new FairShare(options.maxWaiting);
    this.#division = new SizePriority(options);
  }

  /** The amount of all shares together. */
  get total(): number {
    return this.#options.total;
  }

  /** The amount that is held. */
  get held(): number {
    return this.#division.held;
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** The amount that waiting requests need. */
  get wanted(): number {
    return this.#wanted(() => true);
  }

  /**
   * Takes `amount` as soon as it is available. An amount above the total, less
   * the part reserved for small requests, is reduced to that: it is granted
   * when no other large request holds a share.
   *
   * @throws {OverloadedError} If the queue is full, or the estimated wait too
   * long.
   * @throws The signal's reason if it aborts first.
   */
  async acquire(
    amount: number,
    { signal, caller = "", urgent = false, onAdmitted }: AcquireOptions = {},
  ): Promise<Share> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Share>();
    const { smallAmount = -1 } = this.#options;
    const small = amount <= smallAmount;
    const most = small ? this.total : this.#division.mostForLarge;
    const needed = Math.min(amount, most);
    const waiter: Waiter = {
      amount: needed,
      small,
      caller,
      urgent,
      grant: resolve,
    };
    this.#queue.add(waiter, caller, needed);
    if (this.#next() === waiter) {
      onAdmitted?.();
      return this.#grant(waiter);
    }
    if (!urgent && !this.#mayWait(waiter)) {
      const retryAfterSeconds = this.#retryAfterSeconds(waiter);
      this.#queue.remove(waiter);
      throw new OverloadedError(retryAfterSeconds);
    }
    onAdmitted?.();
    this.#releasedAt ??= this.#options.now();
    const leave = () => {
      // A share granted in this turn of the event loop is kept.
      if (!this.#queue.order.includes(waiter)) return;
      this.#queue.remove(waiter);
      this.#leaveQueue(waiter);
      reject(signal?.reason);
      // Later requests may have waited for this one only.
      this.#serve();
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /**
   * Enters the queue if it has room and the estimated wait is within the limit.
   */
  #mayWait(waiter: Waiter): boolean {
    return this.#excessMs(waiter) <= 0 && this.#capacity.take(waiter.caller, 1);
  }

  /** Returns the milliseconds by which the estimated wait exceeds the limit. */
  #excessMs({ amount, small }: Waiter): number {
    const { maxWaitMs = Infinity } = this.#options;
    if (this.#pace.count < MIN_RELEASES) return 0;
    // Large requests delay a small one only a little.
    const before = this.#wanted((other) => !small || other.small) - amount;
    return Math.max(0, (this.#pace.mean ?? 0) * before - maxWaitMs);
  }

  #wanted(counts: (waiter: Waiter) => boolean): number {
    return this.#queue.order.reduce(
      (sum, waiter) => counts(waiter) ? sum + waiter.amount : sum,
      0,
    );
  }

  #serve(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined) return;
      const share = this.#grant(next);
      this.#leaveQueue(next);
      next.grant(share);
    }
  }

  /** Returns the next waiting request whose amount is available. */
  #next(): Waiter | undefined {
    const { order } = this.#queue;
    const urgent = order.find(({ urgent }) => urgent);
    if (urgent === undefined) return this.#division.next(order);
    return this.#division.fits(urgent.amount) ? urgent : undefined;
  }

  /** Releases the queue capacity of a request that waited. */
  #leaveQueue({ caller, urgent }: Waiter): void {
    if (!urgent) this.#capacity.release(caller, 1);
    if (this.waiting === 0) this.#releasedAt = undefined;
  }

  #grant(waiter: Waiter): Share {
    const { amount } = waiter;
    this.#queue.start(waiter);
    this.#division.take(waiter, this.#queue.order);
    let left = amount;
    const shrink = (to: number) => {
      const given = left - Math.max(0, to);
      if (given <= 0) return;
      left -= given;
      if (left === 0) this.#queue.remove(waiter);
      this.#release(waiter, given);
    };
    return {
      get amount() {
        return left;
      },
      shrink,
      [Symbol.dispose]: () => shrink(0),
    };
  }

  #release(waiter: Waiter, amount: number): void {
    const now = this.#options.now();
    // While no request waits, the time that a share is held does not measure
    // the pace of a queue.
    if (this.#releasedAt !== undefined) {
      this.#pace.add(now - this.#releasedAt, amount);
    }
    this.#division.release(waiter, amount);
    this.#serve();
    this.#releasedAt = this.waiting > 0 ? now : undefined;
  }

  /**
   * Returns the seconds until enough requests have left the queue; at least the
   * first.
   */
  #retryAfterSeconds(waiter: Waiter): number {
    const msPerUnit = this.#pace.mean;
    if (msPerUnit === undefined) return FIRST_GUESS_S;
    const first = this.#queue.order[0] ?? waiter;
    const leavesMs = msPerUnit * Math.max(first.amount, waiter.amount);
    const seconds = Math.max(leavesMs, this.#excessMs(waiter)) / 1000;
    return Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(seconds)));
  }
}
