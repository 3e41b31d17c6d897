/**
 * The simulated server: the real concurrency limit and the real engine, on
 * simulated time.
 *
 * ```text
 * offer ─▶ limiter ─▶ engine ─▶ virtual decoder ─▶ a run, until dueAt
 *             └ full: Retry-After         ▲
 *                                advance ─┘ ends it; the engine begins the next
 * ```
 *
 * The engine awaits nothing but its decoder, so between two runs it needs no
 * time. The limiter gives each refused request the time at which a slot is free
 * for it, not just for the next.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { ConcurrencyLimiter } from "../../lib/async/concurrency_limiter.ts";
import { Engine } from "../../lib/engine/engine.ts";
import { OverloadedError } from "../../lib/errors.ts";
import { PlannedPolicy } from "./planned_policy.ts";
import { type EngineSize, VirtualDecoder } from "./virtual_decoder.ts";
import type { RequestClass } from "./workload.ts";

/** A request at a server. Times are in milliseconds. */
export interface PlannedRequest {
  /** Class of the request. */
  readonly kind: RequestClass;
  /** Tokens of its prompts, as the prefix cache compares them. */
  readonly prompts: readonly Int32Array<ArrayBuffer>[];
  /** Time at which it got its slots. */
  startedAt: number;
  /** Time at which its first token was chosen. */
  firstAt: number;
  /** Time at which its last token was chosen. */
  finishedAt: number;
}

/** Caller of all planned requests. */
const CALLER = "";

/** A signal that never aborts: planned requests are not canceled. */
const { signal: NEVER } = new AbortController();

/** A server, from the demand for it to its end. Times are in milliseconds. */
export class Server {
  readonly #engine: Engine;
  readonly #limiter: ConcurrencyLimiter;
  readonly #promises: boolean;
  #now = 0;
  #load = 0;
  #dueAt = Infinity;
  /** Ends the current run; undefined without one. */
  #endRun: (() => void) | undefined;
  /** Resolves when the engine has begun a run, or has nothing to run. */
  #settled = Promise.withResolvers<void>();
  /** Time of the demand for it. */
  readonly startedAt: number;
  /** Time from which it takes requests. */
  readonly readyAt: number;
  /** Time spent running. */
  busyMs = 0;

  /**
   * Creates an idle server.
   *
   * @param promises True if the limiter sets the retry time; false for the
   * engine's own estimate.
   */
  constructor(
    size: EngineSize,
    { promises, startedAt, readyAt }:
      & Pick<Server, "startedAt" | "readyAt">
      & { readonly promises: boolean },
  ) {
    const { slots, queueLimit, cacheTokens } = size;
    const now = () => this.#now;
    const decoder = new VirtualDecoder(size, (ms) => this.#run(ms));
    this.#engine = new Engine(decoder, { queueLimit, cacheTokens, now });
    this.#promises = promises;
    this.#limiter = new ConcurrencyLimiter(slots + queueLimit, now);
    this.startedAt = startedAt;
    this.readyAt = readyAt;
  }

  /** Number of requests that wait or run. */
  get load(): number {
    return this.#load;
  }

  /** Time at which its current run ends; Infinity while idle. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /**
   * Adds a request, at once.
   *
   * @returns Undefined if the request was accepted, else its Retry-After
   * seconds.
   */
  offer(
    request: PlannedRequest,
    now: number,
  ): Promise<number> | undefined {
    this.#now = now;
    if (!this.#promises) return this.#queue(request, () => {});
    let enteredAt: number;
    try {
      enteredAt = this.#limiter.enter(CALLER);
    } catch (error) {
      return Promise.resolve(secondsOf(error));
    }
    const refused = this.#queue(
      request,
      () => this.#limiter.leave(CALLER, enteredAt),
    );
    if (refused === undefined) return undefined;
    this.#limiter.reject(CALLER);
    const seconds = this.#limiter.retryAfterSeconds(CALLER);
    return refused.then((least) => Math.max(seconds, least));
  }

  /**
   * Ends the current run, if it is over by `now`; resolves when the engine has
   * begun the next.
   */
  async advance(now: number): Promise<void> {
    if (this.#dueAt > now) return;
    this.#now = now;
    const endRun = this.#endRun;
    if (endRun !== undefined) {
      this.#settled = Promise.withResolvers();
      this.#endRun = undefined;
      endRun();
    }
    await this.#settled.promise;
  }

  /** @returns Undefined if the request is in the engine's queue. */
  #queue(
    request: PlannedRequest,
    onEnd: () => void,
  ): Promise<number> | undefined {
    const { kind, prompts } = request;
    let queued = false;
    const policy = new PlannedPolicy(kind, {
      onFirst: () => request.firstAt = this.#now,
      onEnd: () => {
        request.finishedAt = this.#now;
        onEnd();
        this.#leave();
      },
    });
    const done = this.#engine.run({
      prompts: prompts.map((tokens) => ({
        tokens,
        prefixBoundaries: [tokens.length],
      })),
      policy,
      maxNewTokens: kind.maxNewTokens,
      tokensPerRun: kind.tokensPerRun,
      long: kind.long,
      onQueued: () => queued = true,
      onStarted: () => request.startedAt = this.#now,
    }, NEVER);
    if (!queued) return done.then(() => 0, secondsOf);
    // An idle server begins at once.
    if (this.#load++ === 0) {
      this.#settled = Promise.withResolvers();
      this.#dueAt = this.#now;
    }
    return undefined;
  }

  /** Begins a run of the decoder. */
  #run(milliseconds: number): Promise<void> {
    this.busyMs += milliseconds;
    this.#dueAt = this.#now + milliseconds;
    return new Promise((resolve) => {
      this.#endRun = resolve;
      this.#settled.resolve();
    });
  }

  #leave(): void {
    if (--this.#load > 0) return;
    this.#dueAt = Infinity;
    // The engine has ended its step once all microtasks are done.
    setImmediate(this.#settled.resolve);
  }
}

/** Returns the Retry-After seconds of a refusal; throws any other error. */
function secondsOf(error: unknown): number {
  if (error instanceof OverloadedError) return error.retryAfterSeconds;
  throw error;
}
