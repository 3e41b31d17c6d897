/**
 * The caller of a request: the unit that quotas, places and turns are counted
 * by.
 *
 * It is the key that the request shows. Without one it is the network of its
 * client: the address, of IPv6 the /64 that a client has all of. Requests whose
 * address is not known are one caller's.
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

/** Sets the caller of each request, for handlers and for the calls they make. */
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
