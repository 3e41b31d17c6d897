/**
 * The cross-origin resource sharing (CORS): the rights of pages of other
 * origins.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../http/context.ts";

/** The headers that a page of another origin may read. */
const EXPOSED = [
  "X-Request-Id",
  "Mcp-Session-Id",
  "X-Seed",
  "X-Grid-Frames",
  "X-Grid-Height",
  "X-Grid-Width",
  "Server-Timing",
  "Retry-After",
  "RateLimit",
  "RateLimit-Policy",
  "Location",
  "Preference-Applied",
  "Idempotency-Kept",
  "Content-Disposition",
  "WWW-Authenticate",
  "traceparent",
];

/** The seconds for which browsers cache a preflight. */
const PREFLIGHT_SECONDS = 600;

/**
 * Returns middleware that lets pages of `origins` call. They may send any
 * header: keys are in one, client libraries add their own, and cookies are
 * ignored.
 *
 * A preflight that requests access to a private network, which browsers send
 * for a page of a public one, succeeds if the page may call at all.
 */
export function crossOrigin(
  origins: readonly string[],
): MiddlewareHandler<AppEnv> {
  const share = cors({
    origin: origins.includes("*") ? "*" : [...origins],
    exposeHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
  });
  return async (c, next) => {
    const preflight = await share(c, next);
    if (!(preflight instanceof Response)) return preflight;
    const { headers } = preflight;
    const allowed = headers.has("access-control-allow-origin");
    if (c.req.header(ASKS_PRIVATE) === "true" && allowed) {
      headers.set(ALLOWS_PRIVATE, "true");
    }
    headers.append("vary", ASKS_PRIVATE);
    return preflight;
  };
}

/** The request header of Private Network Access, a WICG draft. */
const ASKS_PRIVATE = "access-control-request-private-network";
const ALLOWS_PRIVATE = "access-control-allow-private-network";
