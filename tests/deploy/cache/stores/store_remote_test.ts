import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  type Remedy,
  RemoteError,
} from "../../../../deploy/cache/net/remote.ts";
import { openRemote } from "../../../../deploy/cache/stores/open_store.ts";
import { GCS_TOKEN, openGcsServer } from "../../../support/gcs_server.ts";
import { NEVER, readAll } from "../../../support/publish_tree.ts";
import { failed, openS3Server, S3_KEYS } from "../../../support/s3_server.ts";

const KINDS = { s3: () => openS3Server(2), gs: () => openGcsServer(2) };
const WHOLE = { start: 0, end: 7 };

type Server = ReturnType<(typeof KINDS)[keyof typeof KINDS]>;

function remoteOf(scheme: string, { variables }: Server) {
  return openRemote(`${scheme}://models/p`, (name) => variables[name]);
}

/** Fills a server with a checkpoint without a manifest, larger than a page. */
function fill(server: Server): void {
  server.store("p/config.json", "{}");
  server.store("p/model.safetensors", "weights");
  server.store("p/deep/a b+c&é.txt", "odd");
  server.store("p/", "");
  server.store("other/config.json", "{}");
}

async function failure(promise: Promise<unknown>): Promise<RemoteError> {
  const error = await promise.then(() => undefined, (error) => error);
  ok(error instanceof RemoteError, String(error));
  const secrets = [
    S3_KEYS.secretAccessKey,
    S3_KEYS.sessionToken!,
    S3_KEYS.accessKeyId,
    GCS_TOKEN,
    "http://",
    "?",
  ];
  for (const secret of secrets) {
    ok(!error.message.includes(secret), error.message);
  }
  match(error.message, /^Cannot (read|list|look for|use) .*: /s);
  return error;
}

for (const [scheme, open] of Object.entries(KINDS)) {
  Deno.test(`StoreRemote lists the objects of ${scheme} as files without a manifest`, async () => {
    await using server = open();
    fill(server);
    const remote = remoteOf(scheme, server);
    const { commit, files } = await remote.list(NEVER);
    deepStrictEqual(files.map(({ path, size }) => [path, size]), [
      ["config.json", 2],
      ["deep/a b+c&é.txt", 3],
      ["model.safetensors", 7],
    ]);
    for (const { etag } of files) match(etag, /^[\w.-]{1,128}$/);
    const tree = await readAll(remote, 2);
    strictEqual(new TextDecoder().decode(tree["deep/a b+c&é.txt"]), "odd");
    match(commit, /^[0-9a-f]{40}$/);
    strictEqual((await remote.list(NEVER)).commit, commit);
    server.store("p/config.json", "[]");
    notStrictEqual((await remote.list(NEVER)).commit, commit);
  });

  Deno.test(`StoreRemote reads from ${scheme} files that another remote has listed`, async () => {
    await using server = open();
    fill(server);
    const { files } = await remoteOf(scheme, server).list(NEVER);
    const stream = await remoteOf(scheme, server)
      .read(files.at(-1)!, { start: 2, end: 5 }, NEVER);
    strictEqual(await new Response(stream).text(), "igh");
    const nothing = { start: 3, end: 3 };
    const empty = await remoteOf(scheme, server)
      .read(files.at(-1)!, nothing, NEVER);
    strictEqual(await new Response(empty).text(), "");
  });

  Deno.test(`StoreRemote detects a replaced object of ${scheme}`, async () => {
    await using server = open();
    fill(server);
    const remote = remoteOf(scheme, server);
    const file = (await remote.list(NEVER)).files.at(-1)!;
    server.store("p/model.safetensors", "WEIGHTS");
    const same = await failure(remote.read(file, WHOLE, NEVER));
    strictEqual(same.remedy.type, "changed");
    // A file of a manifest has no version until it is read.
    const hash = { ...file, sha256: "0".repeat(64) };
    const before = await remote.read(hash, WHOLE, NEVER);
    strictEqual(await new Response(before).text(), "WEIGHTS");
    server.store("p/model.safetensors", "weights");
    const later = await failure(remote.read(hash, WHOLE, NEVER));
    strictEqual(later.remedy.type, "changed");
    const longer = { ...hash, path: "config.json" };
    const cut = await failure(remote.read(longer, WHOLE, NEVER));
    strictEqual(cut.remedy.type, "changed");
  });

  const answers: Record<string, readonly [() => Response, Remedy]> = {
    "403": [() => failed(403, "AccessDenied"), { type: "elsewhere" }],
    "401": [() => failed(401, "x"), { type: "elsewhere" }],
    "404": [() => failed(404, "NoSuchKey"), { type: "elsewhere" }],
    "412": [() => failed(412, "PreconditionFailed"), { type: "changed" }],
    "416": [() => failed(416, "InvalidRange"), { type: "changed" }],
    "429": [
      () => failed(429, "x", { "retry-after": "7" }),
      { type: "retry", retryAfterMs: 7000 },
    ],
    "503 SlowDown": [
      () => failed(503, "SlowDown"),
      { type: "retry", retryAfterMs: undefined },
    ],
    "500": [
      () => failed(500, "InternalError", { "retry-after": "soon" }),
      { type: "retry", retryAfterMs: undefined },
    ],
    "a redirect": [
      () => failed(307, "TemporaryRedirect", { location: "http://x/" }),
      { type: "elsewhere" },
    ],
    "200 to a range": [() => new Response("weights"), { type: "whole" }],
    "another range": [
      () =>
        new Response("ei", {
          status: 206,
          headers: { "content-range": "bytes 2-3/7" },
        }),
      { type: "retry", retryAfterMs: undefined },
    ],
    "another size": [
      () =>
        new Response("ei", {
          status: 206,
          headers: { "content-range": "bytes 1-2/8" },
        }),
      { type: "changed" },
    ],
  };
  for (const [what, [answer, remedy]] of Object.entries(answers)) {
    Deno.test(`StoreRemote reports a remedy for ${what} from ${scheme}`, async () => {
      await using server = open();
      fill(server);
      const remote = remoteOf(scheme, server);
      const file = (await remote.list(NEVER)).files.at(-1)!;
      server.fault = answer;
      const range = { start: 1, end: 3 };
      const error = await failure(remote.read(file, range, NEVER));
      deepStrictEqual(error.remedy, remedy);
    });
  }

  Deno.test(`StoreRemote accepts a date in Retry-After of ${scheme}, up to a limit`, async () => {
    await using server = open();
    const remote = remoteOf(scheme, server);
    const answering = async (inMs: number) => {
      const date = new Date(Date.now() + inMs).toUTCString();
      server.fault = () => failed(503, "SlowDown", { "retry-after": date });
      return (await failure(remote.list(NEVER))).remedy.type;
    };
    strictEqual(await answering(60_000), "retry");
    strictEqual(await answering(1e12), "elsewhere");
  });

  Deno.test(`StoreRemote requests a retry for a truncated list of ${scheme}`, async () => {
    await using server = open();
    fill(server);
    const remote = remoteOf(scheme, server);
    const xml = "<ListBucketResult><Contents><Key>a</Key>";
    const torn = [
      xml,
      "",
      "[1]",
      '{"items": [{"na',
      `${xml}</Contents></ListBucketResult>`,
      '{"items": [{"name": "p/a", "size": "x", "generation": "1"}]}',
      '{"items": {}}',
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    ];
    for (const body of torn) {
      server.fault = ({ url }) =>
        /list-type|prefix=/.test(url) ? new Response(body) : undefined;
      const listed = await remote.list(NEVER).then(() => "", (error) => error);
      // Each store has its own format: the other's is invalid as well.
      ok(listed instanceof RemoteError, body);
      strictEqual(listed.remedy.type, "retry", body);
    }
  });

  const unusable: Record<string, readonly [Record<string, string>, RegExp]> = {
    "a manifest that is none": [
      { "p/manifest.json": "{}" },
      /version undefined is not supported/,
    ],
    "a name that leads elsewhere": [
      { "p/../../x": "", "p/config.json": "{}" },
      /is unsafe/,
    ],
    "nothing like a checkpoint": [{ "p/x": "" }, /neither a manifest.json nor/],
    "nothing": [{}, /neither a manifest.json nor/],
    "a publication that lasts": [
      { "p/config.json": "{}", "p/manifest.json.unfinished": "{}" },
      /publication is in progress/,
    ],
    "a manifest without end": [
      { "p/manifest.json": " ".repeat(2 ** 24 + 1) },
      /over 16777216 bytes/,
    ],
  };
  for (const [what, [objects, message]] of Object.entries(unusable)) {
    Deno.test(`StoreRemote refuses a prefix of ${scheme} with ${what}`, async () => {
      await using server = open();
      for (const [key, text] of Object.entries(objects)) {
        server.store(key, text);
      }
      const error = await failure(remoteOf(scheme, server).list(NEVER));
      match(error.message, message);
      deepStrictEqual(error.remedy, { type: "elsewhere" });
    });
  }

  Deno.test(`StoreRemote of ${scheme} requests a retry without a response, and stops on abort`, async () => {
    const server = open();
    const remote = remoteOf(scheme, server);
    const stop = new AbortController();
    server.fault = () => {
      stop.abort(new Error("enough"));
      return undefined;
    };
    await rejects(remote.list(stop.signal), /enough/);
    await server[Symbol.asyncDispose]();
    const error = await failure(remote.list(NEVER));
    deepStrictEqual(error.remedy, { type: "retry", retryAfterMs: undefined });
    match(error.message, /check the network/);
  });
}

Deno.test("StoreRemote reports faults of keys, buckets, regions and clocks of S3", async () => {
  await using server = openS3Server();
  const wrong = async (
    variables: Record<string, string>,
    bucket = "models",
  ) => {
    const all: Record<string, string> = { ...server.variables, ...variables };
    const remote = openRemote(`s3://${bucket}/p`, (name) => all[name]);
    return (await failure(remote.list(NEVER))).message;
  };
  match(
    await wrong({ AWS_SECRET_ACCESS_KEY: "no" }),
    /check AWS_ACCESS_KEY_ID/,
  );
  match(await wrong({ AWS_SESSION_TOKEN: "" }), /check AWS_ACCESS_KEY_ID/);
  match(await wrong({}, "nobodys"), /NoSuchBucket|neither a manifest/);
  server.fault = () => failed(400, "AuthorizationHeaderMalformed");
  match(await wrong({}), /another region; set AWS_REGION/);
  server.fault = () => failed(403, "RequestTimeTooSkewed");
  match(await wrong({}), /the clock of this machine is wrong/);
});

Deno.test("openRemote() accepts the URLs that name a place", () => {
  for (
    const url of ["s3://", "s3:///x", "gs://a/b?c", "s3://b/c?versionId=1"]
  ) {
    try {
      openRemote(url, () => undefined);
      ok(false, url);
    } catch (error) {
      ok(error instanceof TypeError, url);
      match(error.message, /^expected/);
    }
  }
});
