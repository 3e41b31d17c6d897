/**
 * The meaning of an HTTP response for a download.
 *
 * ```text
 * 206 of the range     the bytes
 * 200 to a range       the server serves whole files only
 * 408 425 429 5xx      retry, after the given time
 * 412 416              the content has changed
 * other 4xx            try another place
 * ```
 *
 * @module
 */

import { type ByteRange, type Remedy, RemoteError } from "./remote.ts";

/** Longest wait that a server may request before another place is tried. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Returns the remedy for a response other than the requested one.
 *
 * @param now Current time in milliseconds since 1970, for dates.
 */
export function remedyOf(
  { status, headers }: Pick<Response, "status" | "headers">,
  now: number,
): Remedy {
  if (status === 412 || status === 416) return { type: "changed" };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfter(headers.get("Retry-After"), now);
    return (retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS
      ? { type: "elsewhere" }
      : { type: "retry", retryAfterMs };
  }
  return { type: "elsewhere" };
}

/**
 * Checks that `answer` is `range` of a file of `size` bytes.
 *
 * @param what Description of the request, for messages.
 * @throws {RemoteError} When the response holds something else.
 */
export function checkRange(
  { status, headers }: Pick<Response, "status" | "headers">,
  range: ByteRange,
  size: number,
  what: string,
): void {
  const length = headers.get("Content-Length");
  const encoding = headers.get("Content-Encoding") ?? "identity";
  if (encoding !== "identity") {
    throw new RemoteError(
      `Cannot ${what}: it is encoded as ${encoding}, which was not requested`,
      { type: "elsewhere" },
    );
  }
  if (status === 200) {
    if (range.start !== 0 || range.end !== size) {
      throw new RemoteError(
        `Cannot ${what} from byte ${range.start}: the server serves whole files only`,
        { type: "whole" },
      );
    }
    if (length === null || Number(length) === size) return;
    throw otherContent(what, `${length} bytes instead of ${size}`);
  }
  const header = headers.get("Content-Range") ?? "";
  const parts = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header);
  if (parts === null) {
    throw new RemoteError(
      `Cannot ${what}: the response has no valid Content-Range`,
      { type: "retry", retryAfterMs: undefined },
    );
  }
  const [start, last, total] = parts.slice(1).map(Number);
  if (parts[3] !== "*" && total !== size) {
    throw otherContent(what, `${total} bytes instead of ${size}`);
  }
  if (start !== range.start || last !== range.end - 1) {
    throw new RemoteError(
      `Cannot ${what}: the server sends bytes ${start} to ${last} instead of ${range.start} to ${
        range.end - 1
      }`,
      { type: "retry", retryAfterMs: undefined },
    );
  }
}

/** Returns the error for content that differs from the listing. */
export function otherContent(what: string, difference: string): RemoteError {
  return new RemoteError(
    `Cannot ${what}: it has changed since it was listed, ${difference}`,
    { type: "changed" },
  );
}

/** Returns an entity tag as a name of content: without quotes or weakness. */
export function plainEtag(etag: string): string {
  return etag.trim().replace(/^W\//, "").replaceAll('"', "");
}

/** Returns the milliseconds that `text` requests, in seconds or as a date. */
export function readRetryAfter(
  text: string | null,
  now: number,
): number | undefined {
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return 1000 * Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
