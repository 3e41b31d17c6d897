/**
 * The common parts of the object store emulators.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** An object. */
export interface StoredObject {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** ETag without quotes. */
  readonly etag: string;
  /** SHA-256 that its writer recorded. */
  readonly sha256: string | undefined;
  /** Generation, which grows with every write. */
  readonly generation: number;
}

/** A running store. */
export interface StoreServer extends AsyncDisposable {
  /** URL that it listens on. */
  readonly endpoint: string;
  /** Objects by key. */
  readonly objects: Map<string, StoredObject>;
  /** Requests so far, such as `GET /bucket/key`. */
  readonly log: string[];
  /** Overrides the store's answer; undefined leaves it. */
  fault: (request: Request) => Response | undefined;
  /** Stores an object like another client. */
  store(key: string, content: string | Uint8Array<ArrayBuffer>): void;
}

let generations = 1_700_000_000_000_000;

/** Creates an object of `bytes`. */
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

/** Creates the answer with an object, or its requested range. */
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
