/**
 * A queue of asynchronous tasks that callers share fairly.
 *
 * ```text
 * const queue = new FairQueue({ limit: 48 });
 * const picture = await queue.run(() => decode(bytes), { caller, signal });
 * ```
 *
 * Tasks run one at a time, or as many as `concurrency` says. Callers take turns;
 * tasks of one caller run in the order in which they were handed in.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { FairOrder } from "./fair_order.ts";
import { FairShare } from "./fair_share.ts";

/** Seconds after which a refused task may be tried again. */
const RETRY_SECONDS = 1;

/** Options of a queue. */
export interface FairQueueOptions {
  /** Tasks that run at once; 1 when left out. */
  readonly concurrency?: number;
  /**
   * Tasks that one caller may have in the queue, running ones included; a third
   * more, and one at least, is there in all. Without it the queue is unbounded.
   */
  readonly limit?: number;
}

/** Options of a task. */
export interface FairTaskOptions {
  /** On whose behalf it runs; those without one share a turn. */
  readonly caller?: string | undefined;
  /** The weight of the task in its caller's turns; 1 when left out. */
  readonly cost?: number;
  /** Removes it from the queue. A task that runs is not stopped by it. */
  readonly signal?: AbortSignal | undefined;
}

/** A task in the queue. */
interface Ticket {
  readonly turn: PromiseWithResolvers<void>;
  started: boolean;
}

/** Runs tasks of several callers in turn. */
export class FairQueue {
  readonly #concurrency: number;
  readonly #places: FairShare;
  readonly #queue = new FairOrder<Ticket>();
  #running = 0;

  /** Starts with nothing to do. */
  constructor({ concurrency = 1, limit = Infinity }: FairQueueOptions = {}) {
    this.#concurrency = concurrency;
    this.#places = new FairShare(limit, 1);
  }

  /** Tasks that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs `task` when its turn comes.
   *
   * @throws {OverloadedError} When its caller has as many tasks as it may.
   * @throws The signal's reason when it aborts before the task starts.
   */
  async run<T>(
    task: () => Promise<T>,
    { caller = "", cost = 1, signal }: FairTaskOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    if (!this.#places.take(caller, 1)) throw new OverloadedError(RETRY_SECONDS);
    const turn = Promise.withResolvers<void>();
    const ticket: Ticket = { turn, started: false };
    const leave = () => turn.reject(signal!.reason);
    signal?.addEventListener("abort", leave, { once: true });
    this.#queue.add(ticket, caller, cost);
    this.#startNext();
    try {
      await turn.promise;
      return await task();
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#places.release(caller, 1);
      this.#queue.remove(ticket);
      // It may have been started and aborted at once.
      if (ticket.started) this.#running--;
      this.#startNext();
    }
  }

  #startNext(): void {
    while (this.#running < this.#concurrency) {
      const [ticket] = this.#queue.order;
      if (ticket === undefined) return;
      this.#queue.start(ticket);
      this.#running++;
      ticket.started = true;
      ticket.turn.resolve();
    }
  }
}
