/**
 * The caller of a request: the unit of quotas, concurrency and fair queueing.
 *
 * The caller is the request's key. Without one it is the network of its client:
 * the address, or for IPv6 the /64, all of which a client has. Requests of
 * unknown address count as one caller.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import ipaddr from "ipaddr.js";
import { ANONYMOUS } from "./auth.ts";
import {
  clientAddress,
  type ProxyTrust,
} from "../http/address/client_address.ts";
import type { AppEnv } from "../http/context.ts";

/**
 * Returns the caller of an authenticated request.
 */
export function callerOf(c: Context<AppEnv>, trust: ProxyTrust): string {
  const principal = c.get("principal");
  if (principal !== ANONYMOUS) return principal;
  return networkOf(clientAddress(c, trust) ?? "");
}

/** Returns middleware that sets the caller of each request, and of its calls. */
export function identifyCaller(
  trust: ProxyTrust,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const caller = callerOf(c, trust);
    c.set("caller", caller);
    c.set("call", { ...c.get("call"), caller });
    await next();
  };
}

function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return "";
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6
    ? parsed.parts.slice(0, 4).join(":")
    : parsed.toString();
}
