/**
 * The host of a request: the syntax of a `Host` header (RFC 9110, section 7.2),
 * and the hosts that DNS cannot point elsewhere.
 *
 * @module
 */

/** A host and its port. */
export interface RequestHost {
  /** Lower case; IPv6 addresses in brackets; no dot at the end. */
  readonly hostname: string;
  /** Decimal digits; empty for the scheme's default. */
  readonly port: string;
}

/** Maximum characters of a DNS name with its port. */
const MAX_LENGTH = 255;

const LABEL = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?";
const HOST = new RegExp(
  `^(${LABEL}(?:\\.${LABEL})*|\\[[0-9a-f:.]{2,45}\\])(\\.?)(?::(\\d{0,5}))?$`,
  "i",
);

/**
 * Parses a `Host` header.
 *
 * Names with percent escapes or other than ASCII characters are not accepted:
 * clients send IDNs as `xn--…`.
 *
 * @returns The host; undefined for malformed text.
 */
export function parseHost(text: string): RequestHost | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const known = PARSED.get(text);
  if (known !== undefined) return known;
  const host = parse(text);
  if (host === undefined) return undefined;
  if (PARSED.size >= MAX_PARSED) PARSED.clear();
  PARSED.set(text, host);
  return host;
}

/** The cache of parsed hosts: a server has few. */
const PARSED = new Map<string, RequestHost>();
const MAX_PARSED = 64;

function parse(text: string): RequestHost | undefined {
  const [, name, dot, port = ""] = HOST.exec(text) ?? [];
  if (name === undefined || Number(port) > 65_535) return undefined;
  if (name.startsWith("[") && dot !== "") return undefined;
  // Addresses have one spelling afterwards, and numbers too large are refused.
  const url = URL.parse(`http://${name}`);
  return url === null ? undefined : { hostname: url.hostname, port };
}

/** Returns `host` in the form of a URL. */
export function hostText({ hostname, port }: RequestHost): string {
  return port === "" ? hostname : `${hostname}:${port}`;
}

/** Returns true if `hostname` always resolves to the client's own machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") ||
    hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** Returns true if `hostname`, as URLs spell it, is an address. */
export function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname);
}
