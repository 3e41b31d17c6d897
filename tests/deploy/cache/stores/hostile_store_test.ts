/**
 * The tests of hostile stores and sites: lists without an end, without sense or
 * without safe names end with an error message.
 *
 * @module
 */

import { match, ok } from "node:assert/strict";
import { LISTING_BYTES } from "../../../../deploy/cache/snapshots/checked_listing.ts";
import {
  type Remote,
  RemoteError,
} from "../../../../deploy/cache/net/remote.ts";
import { openRemote } from "../../../../deploy/cache/stores/open_store.ts";
import { openGcsServer } from "../../../support/gcs_server.ts";
import { NEVER } from "../../../support/publish_tree.ts";
import { rawServer } from "../../../support/raw_server.ts";
import { openS3Server } from "../../../support/s3_server.ts";

/** Returns a body that never ends, and a count of the bytes read. */
function endless(text: string): { body: ReadableStream; read: () => number } {
  let read = 0;
  const piece = new TextEncoder().encode(text.repeat(2 ** 16));
  const body = new ReadableStream({
    pull: (controller) => {
      read += piece.length;
      controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
  return { body, read: () => read };
}

async function refused(remote: Remote, message: RegExp): Promise<void> {
  const error = await remote.list(NEVER).then(() => undefined, (it) => it);
  ok(error instanceof RemoteError, String(error));
  match(error.message, message);
  ok(error.message.length < 600, error.message);
}

function page(objects: string, next = ""): string {
  return `<?xml version="1.0"?><ListBucketResult>${objects}<IsTruncated>${
    next !== ""
  }</IsTruncated>${
    next === "" ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`
  }</ListBucketResult>`;
}

function object(key: string, size = "2", etag = '"x"'): string {
  return `<Contents><Key>p/${key}</Key><Size>${size}</Size><ETag>${etag}</ETag></Contents>`;
}

const DEEP = 200_000;

/** Invalid pages of S3 by their fault, each created anew. */
const S3: Readonly<Record<string, readonly [() => string, RegExp]>> = {
  "the same page again and again": [
    () => page("", "a"),
    /repeats a page/,
  ],
  "a new page again and again": [
    () => page("", crypto.randomUUID()),
    /the list has over 1000 pages/,
  ],
  "elements within elements": [
    () => "<a>".repeat(DEEP) + "</a>".repeat(DEEP),
    /truncated or not from S3/,
  ],
  "elements that do not end": [
    () => "<a>".repeat(DEEP),
    /truncated or not from S3/,
  ],
  "a size of many digits": [
    () => page(object("config.json", "9".repeat(400))),
    /truncated or not from S3/,
  ],
  "a size beyond any disk": [
    () => page(object("config.json", "9".repeat(15))),
    /"config.json" has 9+ bytes, expected 0 to/,
  ],
  "an entity tag of no letters of ASCII": [
    () => page(object("config.json", "2", '"é"')),
    /the entity tag/,
  ],
  "a file that is a folder, too": [
    () => page(object("config.json") + object("config.json/x")),
    /cannot both be files/,
  ],
  "a name that clears the screen": [
    () =>
      page(object("config.json") + object("%1b[2J")).replace(
        "<ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType>",
      ),
    /the file name "\\u001b/,
  ],
};

for (const [name, [body, message]] of Object.entries(S3)) {
  Deno.test(`StoreRemote reports an S3 bucket whose list is ${name}`, async () => {
    await using server = openS3Server(2);
    server.fault = (request) =>
      request.url.includes("list-type") ? new Response(body()) : undefined;
    const remote = openRemote(
      "s3://models/p",
      (name) => server.variables[name],
    );
    await refused(remote, message);
  });
}

Deno.test("StoreRemote reads an endless list up to a bound", async () => {
  for (const scheme of ["s3", "gs"] as const) {
    await using server = scheme === "s3" ? openS3Server(2) : openGcsServer(2);
    const { body, read } = endless(" ");
    server.fault = (request) =>
      request.url.includes("prefix=") ? new Response(body) : undefined;
    const remote = openRemote(
      `${scheme}://models/p`,
      (name) => server.variables[name],
    );
    await refused(remote, /it has over \d+ bytes/);
    ok(read() < 4 * LISTING_BYTES, `${read()}`);
  }
});

Deno.test("StoreRemote maps an endless error body by its status", async () => {
  await using server = openS3Server(2);
  const { body, read } = endless("<");
  server.fault = () => new Response(body, { status: 403 });
  const remote = openRemote("s3://models/p", (name) => server.variables[name]);
  await refused(remote, /it answers 403: access is denied/);
  ok(read() < LISTING_BYTES, `${read()}`);
});

Deno.test("StoreRemote reports a Google Cloud list whose next page is itself", async () => {
  await using server = openGcsServer(2);
  server.fault = (request) =>
    request.url.includes("prefix=")
      ? Response.json({ items: [], nextPageToken: "again" })
      : undefined;
  const remote = openRemote("gs://models/p", (name) => server.variables[name]);
  await refused(remote, /repeats a page/);
});

Deno.test("WebRemote reports a redirect loop", async () => {
  await using site = rawServer(async (_, connection) => {
    await connection.send(
      "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
    );
  });
  await refused(
    openRemote(new URL("/m", site.url).href, () => undefined),
    /it redirects in a loop/,
  );
});
