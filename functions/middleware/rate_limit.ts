/**
 * How often a caller may ask.
 *
 * Each caller has a bucket that drains evenly, so that in any span of time `T`
 * it gets at most `quota + quota × T / window` requests through. One number a
 * caller says how full it is: the time at which it is empty again (the generic
 * cell rate algorithm).
 *
 * Ours: `hono-rate-limiter` counts in fixed windows, which let twice the quota
 * through around their edges, keeps every caller it ever saw in a window, and
 * writes headers of older drafts.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/context.ts";
import { QuotaError } from "../http/errors/errors.ts";
import { doesWork } from "../shutdown/work.ts";

/** So many requests in so much time. */
export interface RateLimit {
  /** Requests. */
  readonly quota: number;
  /** In milliseconds. */
  readonly windowMs: number;
}

/** What became of a request. */
export interface Admission {
  /** Whether it may go on. */
  readonly admitted: boolean;
  /** Requests that would be let in at once. */
  readonly remaining: number;
  /** Until the whole quota is there again, rounded up. */
  readonly resetSeconds: number;
  /** Until one more is let in, rounded up. */
  readonly retryAfterSeconds: number;
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A limit from text such as `60/m`; undefined for none.
 *
 * @throws {SyntaxError} Saying what is expected.
 */
export function rateLimit(text: string | undefined): RateLimit | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^([1-9]\d{0,8})\/([smhd])$/.exec(text) ?? [];
  if (digits !== undefined) {
    return { quota: Number(digits), windowMs: UNITS[unit!]! };
  }
  throw new SyntaxError("expected requests per s, m, h or d, such as 60/m");
}

/** Callers that are remembered; the one that asked least recently goes first. */
export const MAX_CALLERS = 10_000;

/** Counts what callers ask. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  /** When each caller's bucket is empty; least recently asked first. */
  readonly #emptyAt = new Map<string, number>();

  /**
   * Knows nobody yet.
   *
   * @param now A clock, in milliseconds.
   */
  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** How many callers are remembered. */
  get callers(): number {
    return this.#emptyAt.size;
  }

  /** Counts a request of `caller`, if it is let in. */
  ask(caller: string): Admission {
    const { quota, windowMs } = this.#limit;
    const drip = windowMs / quota;
    const now = this.#now();
    const filled = Math.max(0, (this.#emptyAt.get(caller) ?? now) - now);
    // A rounding error must not cost a request.
    const room = Math.floor((windowMs - filled) / drip + 1e-6);
    const admitted = room >= 1;
    const after = admitted ? filled + drip : filled;
    this.#remember(caller, now + after);
    return {
      admitted,
      remaining: admitted ? room - 1 : 0,
      resetSeconds: Math.ceil(after / 1000),
      retryAfterSeconds: Math.max(
        1,
        Math.ceil((after + drip - windowMs) / 1000),
      ),
    };
  }

  #remember(caller: string, emptyAt: number): void {
    this.#emptyAt.delete(caller);
    this.#emptyAt.set(caller, emptyAt);
    if (this.#emptyAt.size <= MAX_CALLERS) return;
    const [oldest] = this.#emptyAt.keys();
    this.#emptyAt.delete(oldest!);
  }
}

/**
 * Limits requests that do work, as `work.ts` defines it. To look is free.
 *
 * Headers are those of draft-ietf-httpapi-ratelimit-headers-10.
 *
 * @param now A clock, in milliseconds.
 */
export function limitRate(
  limit: RateLimit,
  now: () => number,
): MiddlewareHandler<AppEnv> {
  const limiter = new RateLimiter(limit, now);
  const policy = `"default";q=${limit.quota};w=${limit.windowMs / 1000}`;
  return async (c, next) => {
    if (!doesWork(c.req.method, c.req.path)) return await next();
    const asked = limiter.ask(c.get("caller"));
    c.header("RateLimit-Policy", policy);
    c.header(
      "RateLimit",
      `"default";r=${asked.remaining};t=${asked.resetSeconds}`,
    );
    if (!asked.admitted) throw new QuotaError(asked.retryAfterSeconds);
    await next();
  };
}
