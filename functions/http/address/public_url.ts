/**
 * The public URLs of this server.
 *
 * @module
 */

import type { Context } from "hono";
import { forwarded, type ProxyTrust } from "./client_address.ts";
import type { AppEnv } from "../context.ts";
import { hostText, type RequestHost } from "./request_host.ts";

/** The address under which clients reach this server. */
export interface PublicPlace extends ProxyTrust {
  /**
   * `PUBLIC_URL`, maybe with a path; undefined to use the request's own host.
   */
  readonly publicUrl: string | undefined;
}

/**
 * Returns the URL of `path` for the current client.
 *
 * @param path Path from the root, with its slash.
 */
export function publicUrl(c: Context<AppEnv>, path: string): string {
  return `${c.get("publicBase")}${path}`;
}

/**
 * Returns scheme, host and maybe a path, without a slash at the end.
 *
 * @param host Allowed host that the request names.
 */
export function publicBase(
  request: Request,
  host: RequestHost,
  place: PublicPlace,
): string {
  if (place.publicUrl !== undefined) return place.publicUrl;
  const scheme = forwarded(request.headers, place).scheme ??
    request.url.split(":", 1)[0];
  return `${scheme}://${hostText(host)}`;
}
