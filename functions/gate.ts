/**
 * How many requests with a body are worked on at once, and when to come again.
 *
 * Bodies and pictures take memory long before they reach a queue that counts
 * them, so the door counts as well. Whoever is refused, here or by a full queue
 * behind, is told when to come again: the first when the next place is likely to
 * be free, the second one place later, and so on. All who come when they were
 * told find room, as long as the pace stays; if all were told the same, all but
 * one would have come in vain.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { OverloadedError } from "../lib/errors.ts";
import type { AppEnv } from "./context.ts";
import { doesWork } from "./work.ts";

/** How fast the average time between places forgets. */
const MEMORY = 0.9;

/** Before anything is measured. */
const GUESS_MS = 250;

/** After so long without a refusal, places are no longer in demand. */
const DEMAND_MS = 10_000;

/** Later than this nobody can foresee. */
const MAX_PROMISE_MS = 600_000;

/** Counts who is inside, and promises places. */
export class Door {
  readonly #limit: number;
  readonly #now: () => number;
  #inside = 0;
  /** Between one place and the next, smoothed; in milliseconds. */
  #pace: number | undefined;
  /** When somebody left last while places were in demand. */
  #leftAt: number | undefined;
  #refusedAt = -Infinity;
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
   * @returns When, for {@linkcode leave}.
   * @throws {OverloadedError} When it is full.
   */
  enter(): number {
    if (this.#inside >= this.#limit) {
      throw new OverloadedError(this.promise());
    }
    this.#inside++;
    return this.#now();
  }

  /** Lets one out, whose place is free now. */
  leave(enteredAt: number): void {
    const now = this.#now();
    // While places are wanted, how fast they become free shows as it is;
    // otherwise as how long many together take for one (Little's law).
    const wanted = now - this.#refusedAt <= DEMAND_MS;
    const pause = wanted && this.#leftAt !== undefined
      ? now - this.#leftAt
      : (now - enteredAt) / this.#inside;
    this.#pace = this.#pace === undefined
      ? pause
      : MEMORY * this.#pace + (1 - MEMORY) * pause;
    this.#leftAt = wanted ? now : undefined;
    this.turnBack();
  }

  /** Lets one out who found no place inside. */
  turnBack(): void {
    this.#inside--;
  }

  /** In how many seconds one who is refused is to come again. */
  promise(): number {
    const now = this.#now();
    this.#refusedAt = now;
    const next = Math.max(now, this.#promised) +
      (this.#pace ?? GUESS_MS);
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
    if (!doesWork(c.req.method, c.req.path)) return await next();
    const enteredAt = door.enter();
    try {
      await next();
    } finally {
      if (c.error instanceof OverloadedError) {
        door.turnBack();
        // The queue knows when its next place is free, not who wants it.
        const seconds = Math.max(door.promise(), c.error.retryAfterSeconds);
        c.res.headers.set("retry-after", `${seconds}`);
      } else if (c.var.ended === undefined) door.leave(enteredAt);
      else c.var.ended.then(() => door.leave(enteredAt));
    }
  };
}
