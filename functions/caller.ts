/**
 * The caller of a request, as limits count callers: by its key, else by its
 * network.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import { ANONYMOUS } from "./auth.ts";
import { clientAddress, type ProxyTrust } from "./client_address.ts";
import type { AppEnv } from "./context.ts";
import { networkOf } from "./rate_limit.ts";

/** Sets `caller` for the handlers that follow. */
export function identifyCaller(
  trust: ProxyTrust,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("caller", callerOf(c, trust));
    await next();
  };
}

/** No key begins with a space, so that no name is a network's. */
function callerOf(c: Context<AppEnv>, trust: ProxyTrust): string {
  const { principal } = c.var;
  return principal === ANONYMOUS
    ? ` ${networkOf(clientAddress(c, trust) ?? "")}`
    : principal;
}
