/**
 * The hosts that requests may name: a guard against DNS rebinding.
 *
 * A stranger's page can let its own name resolve to this machine. To a browser
 * its requests are then of the same origin, and the page may read the answers.
 * They name the stranger's host, which gives them away.
 *
 * @module
 */

import ipaddr from "ipaddr.js";
import type { ApiKey } from "./api_keys.ts";
import {
  isAddress,
  isLoopback,
  parseHost,
} from "../http/address/request_host.ts";
import type { RequestHost } from "../http/address/request_host.ts";

/** Names that are known to lead here. */
export interface NamedHosts {
  /** URL under which clients find this server; undefined for as they asked. */
  readonly publicUrl: string | undefined;
  /** Names, `.suffix` for a name and those below it, `*` for any. */
  readonly allowedHosts: readonly string[];
}

/** Everything that decides if a host is allowed. */
export interface HostPolicy extends NamedHosts {
  /** The address that the server listens on. */
  readonly listen: { readonly hostname: string };
  /** Of callers; with keys any host is allowed, since no stranger has one. */
  readonly apiKeys: readonly ApiKey[];
}

/** Addresses that stand for every address of the machine. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);

/**
 * Parses `ALLOWED_HOSTS`.
 *
 * @throws {SyntaxError} Saying what is expected.
 */
export function allowedHosts(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").map((entry) => entry.trim())
    .filter((entry) => entry !== "").map((entry) => {
      if (entry === "*") return entry;
      const suffix = entry.startsWith(".");
      const host = parseHost(suffix ? entry.slice(1) : bracketed(entry));
      if (host?.port === "" && !entry.endsWith(":")) {
        return `${suffix ? "." : ""}${host.hostname}`;
      }
      throw new SyntaxError(
        'expected hosts without ports such as "emu3.example.org" or ".example.org", with commas, or *',
      );
    });
}

/**
 * Reports if a request may name `host`. Its port is not looked at: it may be
 * mapped.
 *
 * An address is no name that could be pointed elsewhere. Where the server
 * listens on all addresses, any is allowed, also that of a balancer in front.
 *
 * @param localAddress Where the connection came in; undefined if not known.
 */
export function isAllowedHost(
  { hostname }: RequestHost,
  policy: HostPolicy,
  localAddress?: string,
): boolean {
  const { hostname: listened } = policy.listen;
  return policy.apiKeys.length > 0 || policy.allowedHosts.includes("*") ||
    isLoopback(hostname) || isNamedHost(hostname, policy) ||
    sameHost(hostname, listened) ||
    isAddress(hostname) && WILDCARDS.has(listened) ||
    localAddress !== undefined && sameHost(hostname, localAddress);
}

/** Reports if the operator has named `hostname`; `*` names none. */
export function isNamedHost(
  hostname: string,
  { publicUrl, allowedHosts }: NamedHosts,
): boolean {
  const named = publicUrl !== undefined && new URL(publicUrl).hostname;
  return hostname === named ||
    allowedHosts.some((allowed) =>
      allowed.startsWith(".")
        ? hostname === allowed.slice(1) || hostname.endsWith(allowed)
        : hostname === allowed
    );
}

/** @param place As sockets and variables spell it. */
function sameHost(hostname: string, place: string): boolean {
  // A socket for both families says ::ffff:192.0.2.1 for 192.0.2.1.
  const address = ipaddr.isValid(place)
    ? ipaddr.process(place).toString()
    : place;
  return parseHost(bracketed(address))?.hostname === hostname;
}

/** Returns an address of IPv6 as it stands in a URL. */
function bracketed(text: string): string {
  return text.includes("::") || text.split(":").length > 2
    ? `[${text.replace(/^\[(.*)\]$/, "$1")}]`
    : text;
}
