/**
 * Which pages may call: a guard against DNS rebinding.
 *
 * A page of a stranger can let its own name resolve to this machine. Its
 * requests then look like those of the same origin, so a name counts only when
 * it cannot be made to point elsewhere (loopback, an address) or when
 * `CORS_ORIGINS` lists it.
 *
 * @module
 */

import { ForbiddenOriginError } from "../refusals.ts";

/**
 * Refuses a request that a stranger's page sends.
 *
 * @param request Its `Origin` and `Host` are looked at; programs send no
 * `Origin`.
 * @param allowed Origins that are named, or `*`.
 * @throws {ForbiddenOriginError} When it may not call.
 */
export function checkOrigin(
  request: Request,
  allowed: readonly string[],
): void {
  const origin = request.headers.get("origin");
  if (origin === null || allowed.includes("*") || allowed.includes(origin)) {
    return;
  }
  const url = URL.parse(origin);
  const here = new URL(request.url);
  const same = url !== null && url.host === here.host && isAddress(here);
  if (same || url !== null && isLoopback(url)) return;
  throw new ForbiddenOriginError();
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") ||
    hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** URLs write IPv4 addresses in one way only, and IPv6 in brackets. */
function isAddress({ hostname }: URL): boolean {
  return hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname);
}
