/**
 * The fingerprint of a request: a hash that identifies repeated requests,
 * without the boundary of a form, which clients choose at random each time.
 *
 * @module
 */

import { mediaType } from "../http/body.ts";
import { turnFor } from "../metrics/event_loop.ts";
import { boundaryOf, delimitersIn } from "../http/multipart.ts";

/** Headers that determine how a body is read and which answer is wanted. */
const FINGERPRINTED = [
  "accept",
  "content-encoding",
  "inference-header-content-length",
  "prefer",
  "x-grid-frames",
  "x-grid-height",
  "x-grid-width",
];

/**
 * Computes the fingerprint of a request.
 *
 * @param bytes Body of the request.
 * @throws {BodyTooComplexError} If it is a form of too many parts.
 */
export async function requestFingerprint(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  await turnFor(bytes);
  const { pathname, search } = new URL(request.url);
  const parts = await bodyParts(
    request.headers.get("content-type") ?? "",
    bytes,
  );
  const head = JSON.stringify([
    pathname,
    search,
    mediaType(request),
    ...FINGERPRINTED.map((name) => request.headers.get(name)),
    ...parts.map(({ length }) => length),
  ]);
  const all = new Blob([head, "\n", ...parts]);
  await turnFor(bytes);
  // Runs on another thread.
  const hash = await crypto.subtle.digest("SHA-256", await all.bytes());
  return new Uint8Array(hash).toHex();
}

/** Returns the parts of a body between the delimiters of its form. */
async function bodyParts(
  type: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const boundary = boundaryOf(type);
  if (boundary === undefined) return [bytes];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let from = 0;
  for (const { start, end } of await delimitersIn(bytes, boundary)) {
    parts.push(bytes.subarray(from, start));
    from = end;
  }
  return [...parts, bytes.subarray(from)];
}
