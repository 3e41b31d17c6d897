/**
 * The absolute URLs of this server, as its clients write them.
 *
 * @module
 */

import type { Context } from "hono";
import { forwarded, type ProxyTrust } from "./client_address.ts";
import type { AppEnv } from "../context.ts";
import { hostText, type RequestHost } from "./request_host.ts";

/** Where clients find this server. */
export interface PublicPlace extends ProxyTrust {
  /** Set from outside, maybe with a path; undefined for as it was asked. */
  readonly publicUrl: string | undefined;
}

/**
 * Returns the URL of `path` for the client at hand.
 *
 * @param path From the root, with its slash.
 */
export function publicUrl(c: Context<AppEnv>, path: string): string {
  return `${c.get("publicBase")}${path}`;
}

/**
 * Returns scheme, host and maybe a path, without a slash at the end.
 *
 * @param host That the request names, and that is allowed.
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
