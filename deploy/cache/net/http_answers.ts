/**
 * What an answer over HTTP means for a download.
 *
 * ```text
 * 206 of the range     the bytes
 * 200 to a range       the server gives whole files only
 * 408 425 429 5xx      ask again, when it says
 * 412 416              the content is another
 * other 4xx            ask elsewhere
 * ```
 *
 * @module
 */

import { type ByteRange, type Remedy, RemoteError } from "./remote.ts";

/** For how long a server may ask us to wait before another place is asked. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * What can be done about an answer that is not what was asked for.
 *
 * @param now Milliseconds since 1970, against which dates are read.
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
 * @param what For people: what was asked of whom.
 * @throws {RemoteError} When it is something else.
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
      `Cannot ${what}: it comes packed with ${encoding}, which was not asked for`,
      { type: "elsewhere" },
    );
  }
  if (status === 200) {
    if (range.start !== 0 || range.end !== size) {
      throw new RemoteError(
        `Cannot ${what} from byte ${range.start}: the server gives whole files only`,
        { type: "whole" },
      );
    }
    if (length === null || Number(length) === size) return;
    throw otherContent(what, `${length} bytes instead of ${size}`);
  }
  const said = headers.get("Content-Range") ?? "";
  const parts = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(said);
  if (parts === null) {
    throw new RemoteError(
      `Cannot ${what}: the server does not say which bytes it sends`,
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

/** Of content that is not what was listed. */
export function otherContent(what: string, difference: string): RemoteError {
  return new RemoteError(
    `Cannot ${what}: it has changed since it was listed, ${difference}`,
    { type: "changed" },
  );
}

/** An entity tag as it names content: no quotes, weak or not. */
export function plainEtag(etag: string): string {
  return etag.trim().replace(/^W\//, "").replaceAll('"', "");
}

/** Milliseconds that `text` asks for: seconds, or a date. */
function readRetryAfter(
  text: string | null,
  now: number,
): number | undefined {
  if (text === null) return undefined;
  if (/^\d+$/.test(text.trim())) return 1000 * Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
