/**
 * The concurrency limit: bounds the requests with a body that run at once.
 *
 * Bodies and pictures use memory long before they reach a queue that counts
 * them. Places are shared by callers (see `caller.ts`).
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { ConcurrencyLimiter } from "../../lib/async/concurrency_limiter.ts";
import { OverloadedError } from "../../lib/errors.ts";
import type { AppEnv } from "../http/context.ts";
import { doesWork } from "../http/address/route_path.ts";

/** Returns middleware that limits each caller's running requests to `limit`. */
export function limitConcurrency(
  limit: number,
  now: () => number = () => performance.now(),
): MiddlewareHandler<AppEnv> {
  const limiter = new ConcurrencyLimiter(limit, now);
  return async (c, next) => {
    if (!doesWork(c.req.method, c.req.path)) return await next();
    const caller = c.get("caller");
    const enteredAt = limiter.enter(caller);
    let left = false;
    const leave = () => {
      if (!left) limiter.leave(caller, enteredAt);
      left = true;
    };
    c.set("releaseSlot", leave);
    try {
      await next();
    } finally {
      if (c.error instanceof OverloadedError && !left) {
        limiter.reject(caller);
        // The queue reports when its next place is free, but not for which caller.
        const { retryAfterSeconds } = c.error;
        const seconds = Math.max(
          limiter.retryAfterSeconds(caller),
          retryAfterSeconds,
        );
        c.res.headers.set("retry-after", `${seconds}`);
      } else {
        // An answer that waits for its reader uses memory as its run did.
        const sent = c.env?.sent ?? c.get("ended");
        if (sent === undefined) leave();
        else sent.then(leave);
      }
    }
  };
}
