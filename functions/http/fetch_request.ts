/**
 * Requests of the Fetch API, made of those of `node:http`.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";

/** A client that went away before its answer was whole. */
function left(): DOMException {
  return new DOMException("the client left", "AbortError");
}

/**
 * Returns the request, without its body: see {@linkcode bodyOf}.
 *
 * Its signal aborts when the connection closes before the answer has been sent.
 *
 * @throws {TypeError} When target and `Host` are no URL.
 */
export function fetchRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
): Request {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(left());
  });
  return new Request(urlOf(incoming), {
    method: incoming.method ?? "GET",
    headers: headersOf(incoming),
    signal: gone.signal,
  });
}

/** Requests with `Expect: 100-continue`, by the call that lets them go on. */
const CONTINUES = new WeakMap<IncomingMessage, () => void>();

/** Lets the client of `incoming` send its body once it is read. */
export function continueWhenRead(
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  CONTINUES.set(incoming, () => response.writeContinue());
}

/** Returns the parts of a body as they come; undefined where there is none. */
export function bodyOf(
  incoming: IncomingMessage,
): AsyncIterable<Uint8Array<ArrayBuffer>> | undefined {
  const { headers } = incoming;
  const bare = (headers["content-length"] ?? "0") === "0" &&
    headers["transfer-encoding"] === undefined;
  if (bare) return undefined;
  return {
    [Symbol.asyncIterator]: () => {
      CONTINUES.get(incoming)?.();
      // Who stops reading still answers: the socket stays.
      return incoming.iterator({ destroyOnReturn: false });
    },
  };
}

/** Names that cannot be told apart from others are `node:http`'s to join. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    entries[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return entries;
}

/** A name, or an address of IPv4 or IPv6, and maybe a port. */
const HOST = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The path comes from the request line alone, the rest from `Host`. */
function urlOf({ url = "", headers: { host = "" } }: IncomingMessage): string {
  if (!HOST.test(host)) throw new TypeError("Host is no host");
  if (url.startsWith("/")) return `http://${host}${url}`;
  // In absolute form, as clients write it to proxies (RFC 9112, 3.2.2).
  const { pathname, search } = new URL(url);
  if (!/^https?:\/\//i.test(url)) throw new TypeError("target is no path");
  return `http://${host}${pathname}${search}`;
}
