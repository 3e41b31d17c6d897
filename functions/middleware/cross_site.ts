/**
 * The check of requests that pages of other sites send.
 *
 * Any page can make a browser send a form or a simple request to any address,
 * also of the machine that it runs on; only the answer is hidden. Such a
 * request must not run a model nor change anything. Browsers mark it, in
 * `Sec-Fetch-Site` and `Origin`, which no script can set; programs send
 * neither.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { ANONYMOUS } from "./auth.ts";
import type { AppEnv } from "../http/context.ts";
import { isOpenRoute } from "../http/address/open_routes.ts";
import { ForbiddenOriginError } from "../http/connection/request_errors.ts";
import {
  type AuthorityPolicy,
  requestHosts,
} from "../http/address/request_authority.ts";
import { isLoopback, type RequestHost } from "../http/address/request_host.ts";

/** The settings that decide which pages may call. */
export interface OriginPolicy extends AuthorityPolicy {
  /** Origins whose pages may call; `*` for all. */
  readonly corsOrigins: readonly string[];
}

/**
 * Returns middleware that refuses requests of pages of other sites, unless they
 * have a key, which such a page cannot have, or their route is open.
 */
export function refuseCrossSite(
  policy: OriginPolicy,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    // A preflight does nothing, and CORS answers it.
    const harmless = c.req.method === "OPTIONS" || isOpenRoute(c);
    if (!harmless && c.get("principal") === ANONYMOUS) {
      checkOrigin(c.req.raw, policy);
    }
    await next();
  };
}

/**
 * Refuses a request of a page that may not call: one of another origin, unless
 * that is of the loopback, `PUBLIC_URL` or listed.
 *
 * @throws {ForbiddenOriginError} If it may not call.
 */
export function checkOrigin(request: Request, policy: OriginPolicy): void {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  if (site === null && origin === null) return;
  // `none`: typed into the address bar.
  if (site === "same-origin" || site === "none") return;
  if (policy.corsOrigins.includes("*")) return;
  if (origin !== null && isAllowedOrigin(origin, policy)) return;
  // Not sent over plain HTTP, nor by old browsers.
  if (site === null && isOfHost(origin!, requestHosts(request, policy)[0])) {
    return;
  }
  throw new ForbiddenOriginError();
}

function isAllowedOrigin(
  origin: string,
  { corsOrigins, publicUrl }: OriginPolicy,
): boolean {
  if (corsOrigins.includes(origin)) return true;
  const url = URL.parse(origin);
  return url !== null && (isLoopback(url.hostname) ||
    publicUrl !== undefined && new URL(publicUrl).origin === origin);
}

/** Returns true if `origin` is that of a page served under `host`. */
function isOfHost(origin: string, { hostname, port }: RequestHost): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  // The default port of its own scheme: a proxy in front may use another one.
  const usual = url.protocol === "https:" ? "443" : "80";
  return url.hostname === hostname &&
    (url.port || usual) === (port || usual);
}
