/**
 * The dispatcher: starts a few requests per turn of the event loop.
 *
 * Hundreds of connections may have a request ready at once. Started together,
 * they would block the loop until all are parsed; started a few per turn, they
 * leave time for health probes.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Requests that begin in one turn. */
const PER_TURN = 4;

/** A queue that begins requests in order of arrival. */
export class Dispatcher {
  readonly #queue: (() => void)[] = [];
  #begun = 0;
  #armed = false;

  /** The number of requests that wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Calls `begin`, in this turn if it is urgent or few have begun in it.
   */
  run(begin: () => void, urgent: boolean): void {
    if (!this.#armed) this.#arm();
    if (urgent) return begin();
    if (this.#queue.length > 0 || this.#begun >= PER_TURN) {
      this.#queue.push(begin);
      return;
    }
    this.#begun++;
    begin();
  }

  #arm(): void {
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      const next = this.#queue.splice(0, PER_TURN);
      this.#begun = next.length;
      if (this.#queue.length > 0 || next.length > 0) this.#arm();
      for (const begin of next) begin();
    });
  }
}
