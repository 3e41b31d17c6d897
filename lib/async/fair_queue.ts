/**
 * A queue of asynchronous tasks that callers share fairly.
 *
 * ```text
 * const queue = new FairQueue({ limit: 48 });
 * const picture = await queue.run(() => decode(bytes), { caller, signal });
 * ```
 *
 * Tasks run one at a time, or up to `concurrency` at once. Callers take turns;
 * tasks of one caller run in the order of arrival, except that small ones pass
 * large ones where `smallCost` is set; see `size_priority.ts`.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { FairOrder } from "./fair_order.ts";
import { FairShare } from "./fair_share.ts";
import { type SizedRequest, SizePriority } from "./size_priority.ts";

/** Seconds after which a refused task may be tried again. */
const RETRY_SECONDS = 1;

/** Options of a queue. */
export interface FairQueueOptions {
  /** Number of tasks that run at once; 1 by default. */
  readonly concurrency?: number;
  /**
   * The maximum number of tasks of one caller in the queue, running ones
   * included; the total is a third more, at least one. Unbounded by default.
   */
  readonly limit?: number;
  /**
   * The maximum cost of a small task. If several tasks may run at once, one
   * slot is then reserved for small ones. No task is small by default.
   */
  readonly smallCost?: number | undefined;
  /** The maximum number of small tasks that delay one large task. */
  readonly maxPassed?: number | undefined;
}

/** Options of a task. */
export interface FairTaskOptions {
  /** The caller of the task; tasks without one share a turn. */
  readonly caller?: string | undefined;
  /** The weight of the task in its caller's turns; 1 by default. */
  readonly cost?: number;
  /** Removes the task from the queue; a task that runs is not stopped. */
  readonly signal?: AbortSignal | undefined;
}

/** A task in the queue. */
interface Ticket extends SizedRequest {
  readonly turn: PromiseWithResolvers<void>;
  started: boolean;
}

/** Runs tasks of several callers in turn. */
export class FairQueue {
  readonly #smallCost: number;
  readonly #capacity: FairShare;
  readonly #queue = new FairOrder<Ticket>();
  readonly #running: SizePriority<Ticket>;

  /** Creates an empty queue. */
  constructor(
    { concurrency = 1, limit = Infinity, smallCost = -1, maxPassed }:
      FairQueueOptions = {},
  ) {
    this.#smallCost = smallCost;
    this.#capacity = new FairShare(limit, 1);
    this.#running = new SizePriority({
      total: concurrency,
      reserved: smallCost >= 0 && concurrency > 1 ? 1 : 0,
      maxPassed,
    });
  }

  /** Number of tasks that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Number of tasks that run. */
  get running(): number {
    return this.#running.held;
  }

  /**
   * Runs `task` on its turn.
   *
   * @throws {OverloadedError} If its caller has reached the limit.
   * @throws The signal's reason if it aborts before the task starts.
   */
  async run<T>(
    task: () => Promise<T>,
    { caller = "", cost = 1, signal }: FairTaskOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    if (!this.#capacity.take(caller, 1)) {
      throw new OverloadedError(RETRY_SECONDS);
    }
    const turn = Promise.withResolvers<void>();
    const small = cost <= this.#smallCost;
    const ticket: Ticket = { turn, started: false, small, amount: 1 };
    const leave = () => turn.reject(signal!.reason);
    signal?.addEventListener("abort", leave, { once: true });
    this.#queue.add(ticket, caller, cost);
    this.#startNext();
    try {
      await turn.promise;
      return await task();
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#capacity.release(caller, 1);
      this.#queue.remove(ticket);
      // The task may have been started and aborted in one turn.
      if (ticket.started) this.#running.release(ticket, 1);
      this.#startNext();
    }
  }

  #startNext(): void {
    for (;;) {
      const ticket = this.#running.next(this.#queue.order);
      if (ticket === undefined) return;
      this.#queue.start(ticket);
      this.#running.take(ticket, this.#queue.order);
      ticket.started = true;
      ticket.turn.resolve();
    }
  }
}
