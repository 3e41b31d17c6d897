/**
 * The hosts of a request: those of its `Host` header and its target, or in
 * their place the one that a trusted proxy reports.
 *
 * @module
 */

import {
  isNamedHost,
  type NamedHosts,
} from "../../middleware/allowed_hosts.ts";
import { forwarded, type ProxyTrust } from "./client_address.ts";
import { parseHost, type RequestHost } from "./request_host.ts";
import { malformedHost } from "./request_target.ts";

/** The settings that decide which host counts. */
export interface AuthorityPolicy extends ProxyTrust, NamedHosts {}

/**
 * Returns the hosts that `request` names, one or more; the first one is that of
 * URLs in answers.
 *
 * A reported host counts only if the operator has named it too, by `PUBLIC_URL`
 * or `ALLOWED_HOSTS`: many proxies forward a client's `X-Forwarded-Host`
 * unchanged.
 *
 * @throws {MalformedRequestError} If one of them is not a host.
 */
export function requestHosts(
  request: Request,
  policy: AuthorityPolicy,
): readonly [RequestHost, ...RequestHost[]] {
  const reported = parseHost(forwarded(request.headers, policy).host ?? "");
  const header = request.headers.get("host");
  // Deno's Request.url holds the raw header: no URL is parsed from it.
  const [, authority = ""] = /^[a-z]+:\/\/([^/?#]*)/i.exec(request.url) ?? [];
  const hosts = [...new Set([header ?? authority, authority])].map(parseHost);
  const [first, second] = hosts;
  if (first === undefined || hosts.includes(undefined)) throw malformedHost();
  if (reported !== undefined && isNamedHost(reported.hostname, policy)) {
    return [reported];
  }
  return second === undefined ? [first] : [first, second];
}
