/**
 * One server: its concurrency limit, and the engine behind it.
 *
 * The limit is the server's own, given the simulated time: each refused request
 * is told when a place will be free for it, not just for the next.
 *
 * @module
 */

import { ConcurrencyLimiter } from "../../functions/middleware/concurrency_limit.ts";
import { OverloadedError } from "../../lib/errors.ts";
import { type EngineSize, type PlannedRequest, Replica } from "./replica.ts";

/** Planned load is one caller's. */
const CALLER = "";

/** A server, from the wish for it to its end. Times are in milliseconds. */
export class Server {
  readonly #replica: Replica;
  readonly #limiter: ConcurrencyLimiter;
  readonly #promises: boolean;
  /** Requests inside, and when they came in. */
  readonly #inside = new Map<PlannedRequest, number>();
  #now = 0;
  #dueAt = Infinity;
  /** When it was wished for. */
  readonly startedAt: number;
  /** From when on it takes requests. */
  readonly readyAt: number;

  /**
   * Starts with nothing.
   *
   * @param promises Whether the limit says when to come again; false for what the
   * engine alone would say.
   */
  constructor(
    engine: EngineSize,
    { promises, startedAt, readyAt }:
      & Pick<Server, "startedAt" | "readyAt">
      & { readonly promises: boolean },
  ) {
    this.#replica = new Replica(engine);
    this.#promises = promises;
    const places = engine.slots + engine.queueLimit;
    this.#limiter = new ConcurrencyLimiter(places, () => this.#now);
    this.startedAt = startedAt;
    this.readyAt = readyAt;
  }

  /** Requests that wait or run. */
  get load(): number {
    return this.#replica.load;
  }

  /** Time in which something ran. */
  get busyMs(): number {
    return this.#replica.busyMs;
  }

  /** When its run at hand ends; infinite while it has nothing to do. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /**
   * Takes a request.
   *
   * @returns In how many seconds to come again, where there is no room;
   * undefined where there is.
   */
  offer(request: PlannedRequest, now: number): number | undefined {
    this.#now = now;
    const seconds = this.#promises
      ? this.#enter(request)
      : this.#replica.offer(request);
    // One that had nothing to do begins at once.
    if (seconds === undefined && this.#dueAt === Infinity) this.#dueAt = now;
    return seconds;
  }

  /** Goes on where its run at hand has ended by `now`. */
  advance(now: number): void {
    if (this.#dueAt > now) return;
    this.#now = now;
    this.#dueAt = this.#replica.advance(now);
    for (const [request, enteredAt] of this.#inside) {
      if (request.finishedAt === 0) continue;
      this.#inside.delete(request);
      this.#limiter.leave(CALLER, enteredAt);
    }
  }

  #enter(request: PlannedRequest): number | undefined {
    let enteredAt: number;
    try {
      enteredAt = this.#limiter.enter(CALLER);
    } catch (error) {
      if (error instanceof OverloadedError) return error.retryAfterSeconds;
      throw error;
    }
    const seconds = this.#replica.offer(request);
    if (seconds === undefined) {
      this.#inside.set(request, enteredAt);
      return undefined;
    }
    this.#limiter.reject(CALLER);
    return Math.max(this.#limiter.retryAfterSeconds(CALLER), seconds);
  }
}
