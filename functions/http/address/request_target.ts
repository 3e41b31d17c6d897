/**
 * The target of a request: the URL that a request line and a `Host` header make
 * (RFC 9112, section 3.3).
 *
 * The path comes from the request line alone. A `Host` header is checked before
 * it becomes part of a URL, so that no character of it can become path, query
 * or credentials.
 *
 * @module
 */

import {
  MalformedRequestError,
  TargetTooLongError,
} from "../connection/request_errors.ts";
import { parseHost } from "./request_host.ts";

/** Maximum bytes of a request target; RFC 9110 recommends at least 8000. */
export const MAX_TARGET_BYTES = 8192;

/** Visible ASCII, no fragment; a backslash would count as a slash in a path. */
const ORIGIN_FORM = /^\/[!"$->@-[\]-~]*(?:\?[!"$-~]*)?$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(.*)$/is;

/**
 * Returns the URL that a request names, or the error to answer with.
 *
 * @param target Target of the request line: `/path?query`, or a whole URL,
 *   whose host then counts in place of `host`.
 * @param host Value of the `Host` header; undefined where there is none.
 * HTTP/1.0 allows that: pass the name of the server for it.
 * @param scheme Scheme of the connection.
 */
export function requestUrl(
  target: string,
  host: string | undefined,
  scheme: "http" | "https",
): URL | MalformedRequestError | TargetTooLongError {
  if (target.length > MAX_TARGET_BYTES) {
    return new TargetTooLongError(MAX_TARGET_BYTES);
  }
  if (host === undefined) {
    return new MalformedRequestError("the Host header is missing");
  }
  if (parseHost(host) === undefined) return malformedHost();
  const [, authority = host, rest = target] = ABSOLUTE_FORM.exec(target) ?? [];
  if (authority !== host && parseHost(authority) === undefined) {
    return malformedTarget();
  }
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  // Only an absolute URL may omit its path.
  if (rest === target && path !== target || !ORIGIN_FORM.test(path)) {
    return malformedTarget();
  }
  return URL.parse(`${scheme}://${authority}${path}`) ?? malformedTarget();
}

/**
 * Returns the `Host` header of Node's `rawHeaders`; several are joined, and
 * malformed with that. Node itself would use the first.
 */
export function hostHeader(
  rawHeaders: readonly string[],
): string | undefined {
  const values = rawHeaders.filter((_, i) =>
    i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === "host"
  );
  return values.length === 0 ? undefined : values.join(", ");
}

/** Returns the error for an invalid `Host` header. */
export function malformedHost(): MalformedRequestError {
  return new MalformedRequestError(
    "the Host header must be one host with an optional port",
  );
}

function malformedTarget(): MalformedRequestError {
  return new MalformedRequestError(
    "the request target must be a path of ASCII characters and percent-encoding",
  );
}
