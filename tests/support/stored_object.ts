/**
 * What object stores of tests have in common.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** An object. */
export interface StoredObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Unquoted. */
  readonly etag: string;
  /** As its writer noted it. */
  readonly sha256: string | undefined;
  /** Higher with every write. */
  readonly generation: number;
}

/** A running store. */
export interface StoreServer extends AsyncDisposable {
  /** Where it listens. */
  readonly endpoint: string;
  /** Its objects by key. */
  readonly objects: Map<string, StoredObject>;
  /** Every request, such as `GET /bucket/key`. */
  readonly log: string[];
  /** Answers instead of the store, or asks nothing of it. */
  fault: (request: Request) => Response | undefined;
  /** Stores an object as another client would. */
  store(key: string, content: string | Uint8Array<ArrayBuffer>): void;
}

let generations = 1_700_000_000_000_000;

/** An object of `bytes`. */
export function storedObject(
  bytes: Uint8Array<ArrayBuffer>,
  options: { readonly etag?: string; readonly sha256?: string | undefined } =
    {},
): StoredObject {
  return {
    bytes,
    etag: options.etag ?? createHash("md5").update(bytes).digest("hex"),
    sha256: options.sha256,
    generation: ++generations,
  };
}

/** An answer with an object or the range of it that is asked for. */
export function contentAnswer(
  request: Request,
  { bytes, etag, generation, sha256 }: StoredObject,
): Response {
  const headers = new Headers({
    etag: `"${etag}"`,
    "x-goog-generation": String(generation),
    "accept-ranges": "bytes",
    ...sha256 === undefined ? {} : { "x-amz-meta-sha256": sha256 },
  });
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
  if (range === null) {
    headers.set("content-length", String(bytes.length));
    return new Response(request.method === "HEAD" ? null : bytes, { headers });
  }
  const [start, last] = [Number(range[1]), Number(range[2])];
  if (start >= bytes.length) {
    headers.set("content-range", `bytes */${bytes.length}`);
    return new Response("<Error><Code>InvalidRange</Code></Error>", {
      status: 416,
      headers,
    });
  }
  const part = bytes.slice(start, last + 1);
  const end = start + part.length - 1;
  headers.set("content-range", `bytes ${start}-${end}/${bytes.length}`);
  return new Response(part, { status: 206, headers });
}
