/**
 * The rate limit of callers.
 *
 * Each caller has a bucket that drains evenly, so that in any span of time `T`
 * it gets at most `quota + quota × T / window` requests through. One number for
 * each caller is its fill level: the time at which the bucket is empty again
 * (the generic cell rate algorithm).
 *
 * It replaces `hono-rate-limiter`, which counts in fixed windows that let twice
 * the quota through around their edges, stores every caller of a window, and
 * writes headers of older drafts.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { LRUCache } from "lru-cache";
import type { AppEnv } from "../http/context.ts";
import { QuotaError } from "../http/errors/errors.ts";
import { doesWork } from "../http/address/route_path.ts";

/** A quota of requests in a window of time. */
export interface RateLimit {
  /** Number of requests. */
  readonly quota: number;
  /** Window in milliseconds. */
  readonly windowMs: number;
}

/** The decision about a request. */
export interface Admission {
  /** True if the request is admitted. */
  readonly admitted: boolean;
  /** Number of requests that would be admitted at once. */
  readonly remaining: number;
  /** Seconds until the whole quota is available again, rounded up. */
  readonly resetSeconds: number;
  /** Seconds until one more request is admitted, rounded up. */
  readonly retryAfterSeconds: number;
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses a limit such as `60/m`; returns undefined for none.
 *
 * @throws {SyntaxError} If the text is malformed, with the expected form.
 */
export function rateLimit(text: string | undefined): RateLimit | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^([1-9]\d{0,8})\/([smhd])$/.exec(text) ?? [];
  if (digits !== undefined) {
    return { quota: Number(digits), windowMs: UNITS[unit!]! };
  }
  throw new SyntaxError("expected requests per s, m, h or d, such as 60/m");
}

/** The maximum number of stored callers; the least recent is evicted first. */
export const MAX_CALLERS = 10_000;

/** A counter of requests by caller. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  /** Time at which each caller's bucket is empty. */
  readonly #emptyAt = new LRUCache<string, number>({ max: MAX_CALLERS });

  /**
   * Creates a limiter without callers.
   *
   * @param now Clock in milliseconds.
   */
  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Number of stored callers. */
  get callers(): number {
    return this.#emptyAt.size;
  }

  /** Counts a request of `caller` if it is admitted. */
  ask(caller: string): Admission {
    const { quota, windowMs } = this.#limit;
    const drip = windowMs / quota;
    const now = this.#now();
    const filled = Math.max(0, (this.#emptyAt.get(caller) ?? now) - now);
    // A rounding error must not cost a request.
    const room = Math.floor((windowMs - filled) / drip + 1e-6);
    const admitted = room >= 1;
    const after = admitted ? filled + drip : filled;
    this.#emptyAt.set(caller, now + after);
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
}

/**
 * Returns middleware that limits requests that run a function; other requests
 * are free.
 *
 * Headers are those of draft-ietf-httpapi-ratelimit-headers-10.
 *
 * @param now Clock in milliseconds.
 */
export function limitRate(
  limit: RateLimit,
  now: () => number,
): MiddlewareHandler<AppEnv> {
  const limiter = new RateLimiter(limit, now);
  const policy = `"default";q=${limit.quota};w=${limit.windowMs / 1000}`;
  return async (c, next) => {
    if (!doesWork(c.req.method, c.req.path)) return await next();
    const admission = limiter.ask(c.get("caller"));
    c.header("RateLimit-Policy", policy);
    c.header(
      "RateLimit",
      `"default";r=${admission.remaining};t=${admission.resetSeconds}`,
    );
    if (!admission.admitted) throw new QuotaError(admission.retryAfterSeconds);
    await next();
  };
}
