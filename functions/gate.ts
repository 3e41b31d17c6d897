/**
 * How many requests with a body are worked on at once.
 *
 * Bodies and pictures take memory long before they reach a queue that counts
 * them, so the door counts as well. Whoever is refused is told when to come
 * again: the first when the next place is likely to be free, the second one
 * place later, and so on. All who come when they were told find room, as long as
 * the pace stays; if all were told the same, all but one would have come in vain.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { OverloadedError } from "../lib/errors.ts";
import type { AppEnv } from "./context.ts";

/** How fast the average time between places forgets. */
const MEMORY = 0.9;

/** Later than this nobody can foresee. */
const MAX_PROMISE_MS = 600_000;

/** Counts who is inside, and promises places. */
export class Door {
  readonly #limit: number;
  readonly #now: () => number;
  #inside = 0;
  /** Between one place and the next, smoothed; in milliseconds. */
  #pace = 250;
  /** When somebody left last, if it has been full since. */
  #leftAt: number | undefined;
  /** When the last one who was refused was told to come. */
  #promised = 0;

  /**
   * Opens with nobody inside.
   *
   * @param now A clock, in milliseconds.
   */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Lets one in.
   *
   * @throws {OverloadedError} When it is full.
   */
  enter(): void {
    if (this.#inside >= this.#limit) {
      throw new OverloadedError(this.#promise());
    }
    this.#inside++;
    // How fast places become free shows only while all are taken.
    if (this.#inside < this.#limit) this.#leftAt = undefined;
  }

  /** Lets one out. */
  leave(): void {
    const now = this.#now();
    if (this.#inside === this.#limit || this.#leftAt !== undefined) {
      const pause = now - (this.#leftAt ?? now - this.#pace);
      this.#pace = MEMORY * this.#pace + (1 - MEMORY) * pause;
      this.#leftAt = now;
    }
    this.#inside--;
  }

  /** In how many seconds to come again. */
  #promise(): number {
    const now = this.#now();
    const next = Math.max(now, this.#promised) + this.#pace;
    this.#promised = Math.min(next, now + MAX_PROMISE_MS);
    return Math.max(1, Math.ceil((this.#promised - now) / 1000));
  }
}

/** Lets `limit` requests in; others are told when to come again. */
export function gate(
  limit: number,
  now: () => number = () => performance.now(),
): MiddlewareHandler<AppEnv> {
  const door = new Door(limit, now);
  return async (c, next) => {
    if (c.req.method !== "POST") return await next();
    door.enter();
    try {
      await next();
    } finally {
      const leave = () => door.leave();
      if (c.var.ended === undefined) leave();
      else c.var.ended.then(leave);
    }
  };
}
