/**
 * The check of a request's target and host, which runs first.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import { type HostPolicy, isAllowedHost } from "./allowed_hosts.ts";
import type { ProxyTrust } from "../http/address/client_address.ts";
import type { AppEnv } from "../http/context.ts";
import { HEALTH_PATHS } from "../http/address/route_path.ts";
import { publicBase } from "../http/address/public_url.ts";
import {
  ForbiddenHostError,
  TargetTooLongError,
} from "../http/connection/request_errors.ts";
import { requestHosts } from "../http/address/request_authority.ts";
import { hostText } from "../http/address/request_host.ts";
import { MAX_TARGET_BYTES } from "../http/address/request_target.ts";

/**
 * Refuses a request without a valid host and, while no keys are set, one whose
 * host is not allowed. Health is reported under any name: probes use addresses
 * of their own, and health is no secret.
 */
export function checkHost(
  policy: HostPolicy & ProxyTrust,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    // A job names no host; the request that made it was checked.
    if (c.env?.call !== undefined) return await next();
    if (c.env?.malformed !== undefined) throw c.env.malformed;
    const hosts = requestHosts(c.req.raw, policy);
    const targetLength = c.req.url.length - hostText(hosts[0]).length;
    if (targetLength > MAX_TARGET_BYTES + "https://".length) {
      throw new TargetTooLongError(MAX_TARGET_BYTES);
    }
    const foreign = hosts.find((host) =>
      !isAllowedHost(host, policy, c.env?.localAddress)
    );
    if (foreign === undefined) {
      c.set("publicBase", publicBase(c.req.raw, hosts[0], policy));
    } else if (!HEALTH_PATHS.has(c.req.path)) {
      throw new ForbiddenHostError(hostText(foreign));
    }
    await next();
  };
}
