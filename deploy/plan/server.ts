/**
 * The simulated server: its concurrency limit, and the engine behind it.
 *
 * The limiter is the server's own, on simulated time: each refused request gets
 * the time at which a slot is free for it, not just for the next.
 *
 * @module
 */

import { ConcurrencyLimiter } from "../../lib/async/concurrency_limiter.ts";
import { OverloadedError } from "../../lib/errors.ts";
import { type EngineSize, type PlannedRequest, Replica } from "./replica.ts";

/** Caller of all planned requests. */
const CALLER = "";

/** A server, from the demand for it to its end. Times are in milliseconds. */
export class Server {
  readonly #replica: Replica;
  readonly #limiter: ConcurrencyLimiter;
  readonly #promises: boolean;
  /** Requests inside, with their arrival times. */
  readonly #inside = new Map<PlannedRequest, number>();
  #now = 0;
  #dueAt = Infinity;
  /** Time of the demand for it. */
  readonly startedAt: number;
  /** Time from which it takes requests. */
  readonly readyAt: number;

  /**
   * Creates an idle server.
   *
   * @param promises True if the limiter sets the retry time; false for the
   * engine's own estimate.
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

  /** Number of requests that wait or run. */
  get load(): number {
    return this.#replica.load;
  }

  /** Time spent running. */
  get busyMs(): number {
    return this.#replica.busyMs;
  }

  /** Time at which its current run ends; Infinity while idle. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /**
   * Adds a request.
   *
   * @returns The Retry-After seconds if the server is full; undefined if the
   * request was accepted.
   */
  offer(request: PlannedRequest, now: number): number | undefined {
    this.#now = now;
    const seconds = this.#promises
      ? this.#enter(request)
      : this.#replica.offer(request);
    // An idle server begins at once.
    if (seconds === undefined && this.#dueAt === Infinity) this.#dueAt = now;
    return seconds;
  }

  /** Ends the current run, if it is over by `now`, and begins the next. */
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
