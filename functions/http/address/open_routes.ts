/**
 * The open routes: readable without a key, since they run no model and show
 * nothing of other callers, except to clients that have a name as hard to guess
 * as a key.
 *
 * A route is open if one of its handlers is marked, where it is mounted:
 * `describe({ open: true, … })` does so, and {@linkcode openRoute} for files
 * without a description.
 *
 * @module
 */

import type { Context, Handler, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppEnv } from "../context.ts";

const OPEN = new WeakSet<Handler | MiddlewareHandler>();

/** Marks the routes of a handler as open, and returns it. */
export function markOpen<T extends MiddlewareHandler>(handler: T): T {
  OPEN.add(handler);
  return handler;
}

/** Middleware that marks the route it is mounted at. */
export const openRoute: MiddlewareHandler<AppEnv> = markOpen((_, next) =>
  next()
);

/** Returns true if the request's route needs no key. */
export function isOpenRoute(c: Context<AppEnv>): boolean {
  const { method } = c.req;
  return (method === "GET" || method === "HEAD") &&
    matchedRoutes(c).some(({ handler }) => OPEN.has(handler));
}
