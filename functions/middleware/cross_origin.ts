/**
 * Cross-origin resource sharing: what pages of other origins may do.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../http/context.ts";

/** Headers that a page of another origin may read. */
const EXPOSED = [
  "ETag",
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
  "ETag",
  "Location",
  "Preference-Applied",
  "Idempotency-Kept",
  "Content-Disposition",
  "WWW-Authenticate",
  "traceparent",
];

/** How long browsers remember what another origin may do, in seconds. */
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of `origins` call. They may send any header: keys are in one,
 * client libraries add their own, and no cookie means anything here.
 *
 * A preflight that asks for a private network, as browsers send it for a page of
 * a public one, is told yes where the page may call at all.
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

/** Headers of Private Network Access, a draft of WICG. */
const ASKS_PRIVATE = "access-control-request-private-network";
const ALLOWS_PRIVATE = "access-control-allow-private-network";
