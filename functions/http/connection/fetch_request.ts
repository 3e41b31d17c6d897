/**
 * The converter from requests of `node:http` to those of the Fetch API.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { MethodNotAllowedError } from "../errors/errors.ts";
import { hostHeader, requestUrl } from "../address/request_target.ts";

/** The body of a request: its parts as they arrive. */
export interface IncomingBody extends AsyncIterable<Uint8Array<ArrayBuffer>> {
  /**
   * Returns the whole body if all of it has arrived and no part was read;
   * undefined otherwise. Most bodies arrive with their head.
   */
  whole(): Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Returns the abort reason of a client that disconnects before its answer is
 * complete.
 */
function left(): DOMException {
  return new DOMException("the client disconnected", "AbortError");
}

/** The placeholder URL of a request that has none. */
const NOWHERE = "http://localhost/";

/**
 * Returns the request, without its body: see {@linkcode bodyOf}; the controller
 * of its signal, which aborts when the connection closes before the answer has
 * been sent; and the error of an invalid target or `Host`.
 */
export function fetchRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
): {
  readonly request: Request;
  readonly abandon: AbortController;
  readonly malformed: Error | undefined;
} {
  const abandon = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) abandon.abort(left());
  });
  const { method = "GET", url = "", rawHeaders, httpVersion } = incoming;
  // HTTP/1.0 has no Host.
  const unnamed = httpVersion === "1.0" ? "localhost" : undefined;
  const host = hostHeader(rawHeaders) ?? unnamed;
  const target = requestUrl(url, host, "http");
  const forbidden = FORBIDDEN.test(method)
    ? new MethodNotAllowedError(METHODS)
    : undefined;
  const malformed = target instanceof URL ? forbidden : target;
  const request = new Request(target instanceof URL ? target : NOWHERE, {
    method: forbidden === undefined ? method : "GET",
    headers: headersOf(incoming),
    signal: abandon.signal,
  });
  return { request, abandon, malformed };
}

/** Methods that routes are made for. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

/** Methods that the Fetch API does not support. */
const FORBIDDEN = /^(?:connect|trace|track)$/i;

/**
 * Requests with `Expect: 100-continue`, with the function that sends 100
 * Continue.
 */
const CONTINUES = new WeakMap<IncomingMessage, () => void>();

/** Lets the client of `incoming` send its body once it is read. */
export function continueWhenRead(
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  CONTINUES.set(incoming, () => response.writeContinue());
}

/** Returns the body of `incoming`; undefined where there is none. */
export function bodyOf(incoming: IncomingMessage): IncomingBody | undefined {
  const { headers } = incoming;
  const bare = (headers["content-length"] ?? "0") === "0" &&
    headers["transfer-encoding"] === undefined;
  if (bare) return undefined;
  return {
    whole: () => {
      if (!incoming.complete || incoming.destroyed) return undefined;
      return incoming.read() as Uint8Array<ArrayBuffer> | null ?? undefined;
    },
    [Symbol.asyncIterator]: () => {
      CONTINUES.get(incoming)?.();
      // A handler that stops reading can still answer, so the socket is kept.
      return incoming.iterator({ destroyOnReturn: false });
    },
  };
}

/** Returns the headers; `node:http` joins names that occur more than once. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    entries[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return entries;
}
