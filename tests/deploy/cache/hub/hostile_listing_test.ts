/**
 * The tests of hostile listings: a download ends with a model or with a message
 * about the fault, never with a stack trace, a file outside of its folder, or
 * no end.
 *
 * @module
 */

import { match, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { LISTING_BYTES } from "../../../../deploy/cache/snapshots/checked_listing.ts";
import { parseListing } from "../../../../deploy/cache/hub/hub_listing.ts";
import { SourceError } from "../../../../deploy/cache/locate.ts";
import { isSafePath } from "../../../../deploy/cache/manifest/safe_path.ts";
import { obtain } from "../../../../deploy/cache/obtain.ts";
import { RemoteError } from "../../../../deploy/cache/net/remote.ts";
import { fastRetries, obtainOptions } from "../../../support/obtain_options.ts";
import { rawServer } from "../../../support/raw_server.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const sha1 = "a".repeat(40);

/** Retry policy for large responses on a busy machine. */
const RETRY_POLICY = {
  attempts: 2,
  baseMs: 1,
  maxMs: 1,
  stallMs: 60_000,
  random: () => 0,
};

/** Arbitrary names for a file. */
const anyName = fc.oneof(
  fc.constantFrom(
    "config.json",
    "CONFIG.JSON",
    "config.json/config.json",
    "../config.json",
    "/etc/x.json",
    "a/../../x.json",
    "a\\..\\x.json",
    "c:x.json",
    "nul\0.json",
    "\x1b[2J.json",
    "\u202e.json",
    "./x.json",
    "a//x.json",
    `${"x".repeat(300)}.json`,
    `${"d/".repeat(600)}x.json`,
    "__proto__.json",
    "\ud800.json",
  ),
  fc.string({ unit: "binary", maxLength: 20 }).map((name) => `${name}.json`),
);

const anySize = fc.oneof(
  fc.nat(100),
  fc.constantFrom(-1, 0.5, 2 ** 44 + 1, 2 ** 53, 1e300, null, "1", [], {}),
);

const anyHash = fc.oneof(
  fc.constantFrom(sha1, "b".repeat(64), "../../x", "", "A".repeat(40), 1, null),
);

const anyListing = fc.record({
  sha: fc.oneof(
    fc.constantFrom(
      sha1,
      "..",
      "a/b",
      "",
      "x".repeat(5_000),
      "x".repeat(129),
      "a\nb",
      7,
      null,
    ),
    fc.string(),
  ),
  siblings: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.array(
        fc.oneof(
          {
            weight: 9,
            arbitrary: fc.record({
              rfilename: anyName,
              size: anySize,
              blobId: anyHash,
              lfs: fc.option(fc.record({ size: anySize, sha256: anyHash }), {
                nil: undefined,
              }),
            }, { requiredKeys: [] }),
          },
          fc.jsonValue(),
        ),
        { maxLength: 6 },
      ),
    },
    fc.jsonValue(),
  ),
});

Deno.test("parseListing() returns a safe listing or a clear message for any input", () => {
  fc.assert(
    fc.property(fc.oneof(anyListing, fc.jsonValue()), (listing) => {
      let snapshot;
      try {
        snapshot = parseListing(JSON.stringify(listing), "a hub");
      } catch (error) {
        ok(error instanceof RemoteError, String(error));
        match(error.message, /^Cannot (list|use the listing of) a hub/);
        ok(error.message.length < 600, error.message);
        ok(!/[\p{Cc}\p{Cf}]/u.test(error.message), error.message);
        return;
      }
      match(snapshot.commit, /^[\w.-]{1,128}$/);
      ok(
        snapshot.files.every(({ path, size }) =>
          isSafePath(path) && Number.isSafeInteger(size) && size >= 0
        ),
      );
      const names = snapshot.files.map(({ path }) => path.toLowerCase());
      strictEqual(new Set(names).size, names.length);
    }),
    { numRuns: 2_000 },
  );
});

/** Responses to a listing that no hub should send. */
const ANSWERS: readonly (readonly [string, string, RegExp])[] = [
  ["a commit of 5,000 characters", listing("x".repeat(5_000)), /commit "x+…"/],
  ["a commit with a slash", listing("a/b"), /commit "a\/b" is not a name/],
  [
    "a file that is a folder, too",
    listing(sha1, "config.json", "config.json/x.json"),
    /"config.json\/x.json" and "config.json" cannot both be files/,
  ],
  [
    "names that differ in case alone",
    listing(sha1, "config.json", "Config.json"),
    /cannot both be files/,
  ],
  [
    "too many files",
    listing(sha1, ...Array.from({ length: 10_001 }, (_, i) => `${i}.json`)),
    /it has 10001 files, over 10000/,
  ],
  [
    "lists within lists",
    `{"sha":"${sha1}","siblings":${"[".repeat(99_999)}${"]".repeat(99_999)}}`,
    /a file has no name/,
  ],
  ["no JSON", "<html>", /the response is not JSON/],
  ["nothing", "", /the response is not JSON/],
];

for (const [name, body, message] of ANSWERS) {
  Deno.test(`parseListing() reports a listing with ${name}`, async () => {
    await using hub = rawServer(async (_, connection) => {
      await connection.send(
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    await refused(hub.url, message);
  });
}

Deno.test("obtain() reports an endless listing, and one shorter than its length", async () => {
  let sent = 0;
  await using endless = rawServer(async (_, connection) => {
    await connection.send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const piece = `10000\r\n${" ".repeat(2 ** 16)}\r\n`;
    for (; sent < 20 * LISTING_BYTES; sent += 2 ** 16) {
      await connection.send(piece);
    }
  });
  await refused(endless.url, /it has over 16777216 bytes/);
  ok(sent < 4 * LISTING_BYTES, `${sent}`);
  await using short = rawServer(async (_, connection) => {
    await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{}");
    connection.close();
  });
  await refused(short.url, /the connection failed/);
});

Deno.test("obtain() reports a hub that redirects in a loop, or to an invalid URL", async () => {
  for (
    const target of ["/again", "ftp://x/y", "http://[", "file:///etc/passwd"]
  ) {
    await using hub = rawServer(async (_, connection) => {
      await connection.send(
        `HTTP/1.1 302 Found\r\nLocation: ${target}\r\nContent-Length: 0\r\n\r\n`,
      );
    });
    await refused(
      hub.url,
      /^Cannot find model "org\/tiny": looked in .*; Cannot /,
    );
    ok(hub.seen.length < 100);
  }
});

function listing(sha: string, ...names: string[]): string {
  const siblings = names.map((rfilename) => ({
    rfilename,
    size: 2,
    blobId: sha1,
  }));
  return JSON.stringify({ sha, siblings });
}

async function refused(url: URL, message: RegExp): Promise<void> {
  using cache = temporaryFolder();
  await rejects(
    obtain("org/tiny", {
      ...obtainOptions(cache.path, url.href),
      transferOptions: { ...fastRetries, retryPolicy: RETRY_POLICY },
    }),
    (error) => {
      ok(error instanceof SourceError, String(error));
      match(error.message, message);
      return true;
    },
  );
}
