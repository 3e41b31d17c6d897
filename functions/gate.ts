/**
 * How many requests with a body are worked on at once.
 *
 * Bodies and pictures take memory long before they reach a queue that counts
 * them, so the door counts as well.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { OverloadedError } from "../lib/errors.ts";
import type { AppEnv } from "./context.ts";

/** When trying again is likely to succeed. */
const RETRY_AFTER_SECONDS = 1;

/** Lets `limit` requests in; others are told to come again. */
export function gate(limit: number): MiddlewareHandler<AppEnv> {
  let inside = 0;
  return async (c, next) => {
    if (c.req.method !== "POST") return await next();
    if (inside >= limit) throw new OverloadedError(RETRY_AFTER_SECONDS);
    inside++;
    try {
      await next();
    } finally {
      const leave = () => void inside--;
      if (c.var.ended === undefined) leave();
      else c.var.ended.then(leave);
    }
  };
}
