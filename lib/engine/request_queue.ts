/**
 * The engine's queue: holds the waiting requests in a fair order of callers,
 * and limits their number.
 *
 * Service is counted in tokens of all rows, prompt and answer together: the
 * reservation of a request when it starts, and the written tokens once it has
 * ended.
 *
 * @module
 */

import { FairOrder } from "../async/fair_order.ts";
import { FairShare } from "../async/fair_share.ts";
import type { Reservation, Waiting } from "./admission.ts";

/** A request that can be queued. */
export interface Queueable {
  /** The slots and tokens that it requests. */
  readonly reservation: Reservation;
  /** The caller of the request. */
  readonly caller: string;
  /** Time of its arrival, in milliseconds. */
  readonly queuedAt: number;
  /** Number of times that others have passed it. */
  readonly passed: number;
}

/**
 * Holds requests until they start, and counts their callers' service until they
 * end.
 */
export class RequestQueue<T extends Queueable> {
  readonly #order = new FairOrder<T>();
  /** Capacity of the queue, in groups. */
  readonly #capacity: FairShare;
  /** Requests that wait, by group. */
  readonly #groups = new Map<unknown, Set<T>>();

  /**
   * Creates an empty queue.
   *
   * @param limit Maximum number of waiting groups of one caller. The total
   * limit is a third more, at least one.
   */
  constructor(limit: number) {
    this.#capacity = new FairShare(limit, 1);
  }

  /** Number of waiting requests. */
  get size(): number {
    return this.#order.size;
  }

  /** Waiting requests, the next first. */
  get order(): readonly T[] {
    return this.#order.order;
  }

  /** The waiting requests in the form of admission. */
  get reservations(): readonly Waiting[] {
    return this.order.map((request) => {
      const { reservation, caller, passed } = request;
      return {
        ...reservation,
        caller,
        passed,
        tag: this.#order.tagOf(request),
      };
    });
  }

  /**
   * Arrival time of the oldest waiting request, in milliseconds; undefined if
   * none waits.
   */
  get oldestAskedAt(): number | undefined {
    if (this.size === 0) return undefined;
    return Math.min(...this.order.map(({ queuedAt }) => queuedAt));
  }

  /**
   * Adds a request. All requests of one group count as one.
   *
   * @returns False if the queue is full.
   */
  add(request: T): boolean {
    const { reservation: { group, rows }, caller } = request;
    const together = this.#groups.get(group);
    if (together !== undefined) together.add(request);
    else if (!this.#capacity.take(caller, 1)) return false;
    else this.#groups.set(group, new Set([request]));
    this.#order.add(request, caller, sum(rows));
    return true;
  }

  /** Moves a request from waiting to running. */
  start(request: T): void {
    this.#order.start(request);
    this.#leavePlace(request);
  }

  /**
   * Removes a waiting or running request; any other is ignored.
   *
   * @param written Number of tokens that each of its rows wrote.
   */
  remove(request: T, written: readonly number[]): void {
    this.#order.remove(request, sum(written));
    this.#leavePlace(request);
  }

  #leavePlace(request: T): void {
    const { reservation: { group }, caller } = request;
    const together = this.#groups.get(group);
    if (!together?.delete(request) || together.size > 0) return;
    this.#groups.delete(group);
    this.#capacity.release(caller, 1);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
