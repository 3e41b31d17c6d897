/**
 * A weighted semaphore: requests take shares of a fixed amount, bytes or
 * pixels, and wait in a bounded queue while there is not enough left.
 *
 * The queue is in {@linkcode FairOrder}: one caller alone is served first come,
 * first served; several get equal amounts however many requests each has
 * waiting. Small requests pass large ones as `size_priority.ts` says; no other
 * request overtakes the first in the queue, so large ones do not starve.
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
  /** The greatest amount of a small request; none is small by default. */
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
   * The caller among whom turns are shared; all requests have one by default.
   */
  readonly caller?: string | undefined;
  /**
   * True for the last step of work that is otherwise done: it goes before all
   * others and is never refused.
   */
  readonly urgent?: boolean;
  /** Called once the request is granted or waits, and so is not refused. */
  readonly onAdmitted?: (() => void) | undefined;
}

/** A part of a budget, held until it is disposed. */
export interface Share extends Disposable {
  /** The amount held. */
  readonly amount: number;
  /** Gives back all above `amount`; does nothing when less is held. */
  shrink(amount: number): void;
}

interface Waiter extends SizedRequest {
  readonly caller: string;
  readonly urgent: boolean;
  readonly grant: (share: Share) => void;
}

/** Seconds until a retry, before any share was released. */
const FIRST_GUESS_S = 1;

/** The longest estimate of a wait, in seconds. */
const MAX_RETRY_S = 600;

/** The weight of the past in the average time per amount. */
const MEMORY = 0.8;

/** Releases from a queue after which its pace counts. */
const MIN_RELEASES = 4;

/** Counts the amounts that are held and queues requests that have to wait. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #capacity: FairShare;
  /** Requests that wait or hold a share. */
  readonly #queue = new FairOrder<Waiter>();
  readonly #held: SizePriority<Waiter>;
  /** Milliseconds between releases, by the amounts released. */
  readonly #pace = new MovingAverage(MEMORY);
  /** Time of the last release, or of the first request that waits. */
  #releasedAt: number | undefined;

  /** Creates a budget of which nothing is held. */
  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#capacity = new FairShare(options.maxWaiting);
    this.#held = new SizePriority(options);
  }

  /** The amount that all shares have together. */
  get total(): number {
    return this.#options.total;
  }

  /** The amount that is held. */
  get held(): number {
    return this.#held.held;
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** The amount that waiting requests ask for. */
  get wanted(): number {
    return this.#wanted(() => true);
  }

  /**
   * Takes `amount` as soon as it is available. More than the total, without the
   * part reserved for small requests, counts as that: it is granted when no
   * other large request holds anything.
   *
   * @throws {OverloadedError} If the queue is full or too long.
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
    const most = small ? this.total : this.#held.mostForLarge;
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
      // A share granted in this turn of the event loop is the caller's.
      if (!this.#queue.order.includes(waiter)) return;
      this.#queue.remove(waiter);
      this.#leaveQueue(waiter);
      reject(signal?.reason);
      // Others may have waited for this request only.
      this.#serve();
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /** Enters the queue if it has room and the wait is bounded. */
  #mayWait(waiter: Waiter): boolean {
    return this.#excessMs(waiter) <= 0 && this.#capacity.take(waiter.caller, 1);
  }

  /** Returns the milliseconds by which a request would wait too long. */
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

  /** Returns the waiting request that can have its amount now. */
  #next(): Waiter | undefined {
    const { order } = this.#queue;
    const urgent = order.find(({ urgent }) => urgent);
    if (urgent === undefined) return this.#held.next(order);
    return this.#held.fits(urgent.amount) ? urgent : undefined;
  }

  /** Releases the place in the queue of a request that waited. */
  #leaveQueue({ caller, urgent }: Waiter): void {
    if (!urgent) this.#capacity.release(caller, 1);
    if (this.waiting === 0) this.#releasedAt = undefined;
  }

  #grant(waiter: Waiter): Share {
    const { amount } = waiter;
    this.#queue.start(waiter);
    this.#held.take(waiter, this.#queue.order);
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
    // While no request waits, how long a share is held says nothing of a queue.
    if (this.#releasedAt !== undefined) {
      this.#pace.add(now - this.#releasedAt, amount);
    }
    this.#held.release(waiter, amount);
    this.#serve();
    this.#releasedAt = this.waiting > 0 ? now : undefined;
  }

  /**
   * Returns the seconds until the first in the queue has left it, or enough
   * have.
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
