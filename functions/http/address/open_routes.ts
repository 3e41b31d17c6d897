/**
 * The open routes: readable without a key.
 *
 * An open route runs no model and shows nothing of other callers. A named one
 * is readable by clients with a name that is as hard to guess as a key; pages
 * of other sites may not read it.
 *
 * A route is open or named if one of its handlers is marked, where it is
 * mounted: `describe({ open: true, … })` does so, {@linkcode openRoute} for
 * files without a description, and {@linkcode namedRoute}.
 *
 * @module
 */

import type { Context, Handler, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppEnv } from "../context.ts";

type Marked = WeakSet<Handler | MiddlewareHandler>;

const OPEN: Marked = new WeakSet();
const NAMED: Marked = new WeakSet();

/** Marks the routes of a handler as open, and returns it. */
export function markOpen<T extends MiddlewareHandler>(handler: T): T {
  OPEN.add(handler);
  return handler;
}

function markNamed<T extends MiddlewareHandler>(handler: T): T {
  NAMED.add(handler);
  return handler;
}

/** Middleware that marks the route it is mounted at as open. */
export const openRoute: MiddlewareHandler<AppEnv> = markOpen((_, next) =>
  next()
);

/** Middleware that marks the route it is mounted at as named. */
export const namedRoute: MiddlewareHandler<AppEnv> = markNamed((_, next) =>
  next()
);

/** Returns true if the request's route is open. */
export function isOpenRoute(c: Context<AppEnv>): boolean {
  return isRead(c) && hasMark(c, OPEN);
}

/** Returns true if the request's route requires no key. */
export function needsNoKey(c: Context<AppEnv>): boolean {
  return isRead(c) && (hasMark(c, OPEN) || hasMark(c, NAMED));
}

function isRead({ req: { method } }: Context<AppEnv>): boolean {
  return method === "GET" || method === "HEAD";
}

function hasMark(c: Context<AppEnv>, marked: Marked): boolean {
  return matchedRoutes(c).some(({ handler }) => marked.has(handler));
}
