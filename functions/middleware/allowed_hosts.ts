/**
 * The allowed hosts of requests: a guard against DNS rebinding.
 *
 * A hostile page can let its own name resolve to this machine. To a browser its
 * requests are then of the same origin, and the page may read the answers.
 * Their `Host` still names the hostile host, so that they can be refused.
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

/** The names of this server. */
export interface NamedHosts {
  /**
   * URL under which clients reach this server; undefined for the requested
   * host.
   */
  readonly publicUrl: string | undefined;
  /** Allowed names; `.suffix` for a name and those below it, `*` for any. */
  readonly allowedHosts: readonly string[];
}

/** The settings that decide if a host is allowed. */
export interface HostPolicy extends NamedHosts {
  /** Address that the server listens on. */
  readonly listen: { readonly hostname: string };
  /** API keys; with keys any host is allowed, since a hostile page has none. */
  readonly apiKeys: readonly ApiKey[];
}

/** The wildcard addresses of all interfaces. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);

/**
 * Parses `ALLOWED_HOSTS`.
 *
 * @throws {SyntaxError} If the text is malformed, with the expected form.
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
 * Returns true if a request may name `host`. Its port is ignored: it may be
 * mapped.
 *
 * DNS cannot point an address elsewhere. A server that listens on all addresses
 * allows any, also that of a balancer in front.
 *
 * @param localAddress Local address of the connection; undefined if unknown.
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

/** Returns true if the operator has named `hostname`; `*` names none. */
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

/**
 * Returns true if both name the same host.
 *
 * @param place Spelling of a socket or variable.
 */
function sameHost(hostname: string, place: string): boolean {
  // A dual-stack socket reports ::ffff:192.0.2.1 for 192.0.2.1.
  const address = ipaddr.isValid(place)
    ? ipaddr.process(place).toString()
    : place;
  return parseHost(bracketed(address))?.hostname === hostname;
}

/** Returns an IPv6 address in brackets, as in a URL. */
function bracketed(text: string): string {
  return text.includes("::") || text.split(":").length > 2
    ? `[${text.replace(/^\[(.*)\]$/, "$1")}]`
    : text;
}
