/**
 * The client as trusted proxies report it: its address, and the scheme and host
 * that it requested.
 *
 * Any client may send the headers of proxies. The operator sets the one header
 * that its proxies write, and the number of proxies; all other headers are
 * ignored. Each proxy appends an entry, so that of `n` trusted ones the n-th
 * from the end was written by the outermost.
 *
 * ```text
 * X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2      with 2 trusted proxies
 *                  claimed  trusted    inner proxy
 * ```
 *
 * @module
 */

import type { Context } from "hono";
import type { AppEnv } from "../context.ts";

/** The proxy headers that are trusted. */
export interface ProxyTrust {
  /** Number of proxies in front; with 0, no header is trusted. */
  readonly trustedProxies: number;
  /**
   * `x-forwarded-for`, with the same entry of `X-Forwarded-Proto` and
   * `X-Forwarded-Host`; `forwarded`; or a header with one address.
   */
  readonly trustedHeader: string;
}

/** Values that the outermost trusted proxy wrote. */
export interface Forwarded {
  /** Address of the client, without port. */
  readonly client: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string | undefined;
  /** Value of a `Host` header, as reported. */
  readonly host: string | undefined;
}

/** The trusted header unless another is named: nearly all proxies write it. */
export const DEFAULT_PROXY_HEADER = "x-forwarded-for";

const NONE: Forwarded = {
  client: undefined,
  scheme: undefined,
  host: undefined,
};

/** Maximum number of proxies; more is likely a mistake. */
const MAX_PROXIES = 100;

/**
 * Parses `TRUST_PROXY`.
 *
 * @throws {SyntaxError} If the text is malformed, with the expected form.
 */
export function proxyCount(text = "0"): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= MAX_PROXIES) {
    return Number(text);
  }
  throw new SyntaxError(`expected a whole number, 0 to ${MAX_PROXIES}`);
}

/**
 * Parses `TRUST_PROXY_HEADER`.
 *
 * @throws {SyntaxError} If the text is malformed, with the expected form.
 */
export function proxyHeader(text: string | undefined): string {
  const name = (text ?? DEFAULT_PROXY_HEADER).toLowerCase();
  // These two accompany X-Forwarded-For and hold no address.
  const companion = /^x-forwarded-(proto|host)$/.test(name);
  if (/^[a-z0-9][a-z0-9-]{0,63}$/.test(name) && !companion) return name;
  throw new SyntaxError(
    "expected x-forwarded-for, forwarded or the name of a header that holds the client's address",
  );
}

/** Returns the values that the outermost trusted proxy wrote into `headers`. */
export function forwarded(
  headers: Headers,
  { trustedProxies, trustedHeader }: ProxyTrust,
): Forwarded {
  if (trustedProxies === 0) return NONE;
  const entry = (name: string) => entryOf(headers.get(name), trustedProxies);
  const { client, scheme, host } = trustedHeader === "forwarded"
    ? standardEntry(entry("forwarded") ?? "")
    : trustedHeader === "x-forwarded-for"
    ? {
      client: entry("x-forwarded-for"),
      scheme: entry("x-forwarded-proto"),
      host: entry("x-forwarded-host"),
    }
    : { ...NONE, client: headers.get(trustedHeader) ?? undefined };
  return {
    client: client && addressOf(client),
    scheme: /^https?$/i.exec(scheme ?? "")?.[0].toLowerCase(),
    host,
  };
}

/** Returns the address of the client; undefined where there is no socket. */
export function clientAddress(
  c: Context<AppEnv>,
  trust: ProxyTrust,
): string | undefined {
  // Not Hono's `getConnInfo()`, which throws where there is no socket.
  const peer: string | undefined = c.env?.remoteAddr?.hostname;
  return forwarded(c.req.raw.headers, trust).client ?? peer;
}

/**
 * Returns the n-th entry from the end; undefined where there are fewer, since
 * no trusted proxy wrote any of them then.
 *
 * Quotes are ignored, so that an open one cannot hide an entry.
 */
function entryOf(list: string | null, fromEnd: number): string | undefined {
  return (list ?? "").split(",").map((part) => part.trim())
    .filter((part) => part !== "").at(-fromEnd);
}

/** Parses an entry of `Forwarded` (RFC 7239). */
function standardEntry(text: string): Forwarded {
  const pairs = new Map(
    text.split(";").map((pair) => {
      const [name = "", value = ""] = pair.trim().split(/=(.*)/s);
      return [name.toLowerCase(), value.replace(/^"(.*)"$/, "$1")];
    }),
  );
  return {
    client: pairs.get("for"),
    scheme: pairs.get("proto"),
    host: pairs.get("host"),
  };
}

/** Returns the address of `192.0.2.1:80` or `[2001:db8::1]:80`. */
function addressOf(text: string): string | undefined {
  const address = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(text)?.[1] ??
    /^([\d.]+)(?::\d+)?$/.exec(text)?.[1] ?? text;
  return /^[0-9a-f:.]{2,45}$/i.test(address) ? address : undefined;
}
