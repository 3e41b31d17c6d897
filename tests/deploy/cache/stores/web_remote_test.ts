import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  type Manifest,
  manifestText,
  revisionOf,
} from "../../../../deploy/cache/manifest/manifest.ts";
import { RemoteError } from "../../../../deploy/cache/net/remote.ts";
import { WebRemote } from "../../../../deploy/cache/stores/web_remote.ts";
import { sha256Hex } from "../../../../deploy/cache/stores/s3/s3_request.ts";
import { NEVER, readAll } from "../../../support/publish_tree.ts";
import { contentAnswer, storedObject } from "../../../support/stored_object.ts";

/** A web server, and the requests that it received. */
interface Web extends AsyncDisposable {
  readonly url: string;
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  readonly asked: { readonly url: URL; readonly headers: Headers }[];
  fault: (request: Request) => Response | undefined;
}

function openWeb(): Web {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const url = new URL(request.url);
      web.asked.push({ url, headers: request.headers });
      const fault = web.fault(request);
      if (fault !== undefined) return fault;
      const bytes = web.files.get(decodeURIComponent(url.pathname));
      if (bytes === undefined) return new Response("", { status: 404 });
      const object = storedObject(bytes);
      const wanted = request.headers.get("if-match");
      return wanted === null || wanted === `"${object.etag}"`
        ? contentAnswer(request, object)
        : new Response("", { status: 412 });
    },
  );
  const web: Web = {
    url: `http://127.0.0.1:${server.addr.port}`,
    files: new Map(),
    asked: [],
    fault: () => undefined,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return web;
}

const encode = (text: string) => new TextEncoder().encode(text);

/** Puts files and their manifest under `folder`; some are elsewhere. */
async function put(
  web: Web,
  folder: string,
  files: Readonly<Record<string, string>>,
  urls: Readonly<Record<string, string>> = {},
): Promise<Manifest> {
  const entries = [];
  for (const [path, text] of Object.entries(files)) {
    const bytes = encode(text);
    if (urls[path] === undefined) web.files.set(`${folder}/${path}`, bytes);
    const hash = await sha256Hex(bytes);
    entries.push({
      path,
      size: bytes.length,
      sha256: hash,
      partSize: 100,
      partSha256: bytes.length === 0 ? [] : [hash],
      url: urls[path],
    });
  }
  const manifest: Manifest = {
    model: "m",
    revision: revisionOf(entries),
    createdBy: "a test",
    precision: undefined,
    source: undefined,
    files: entries,
  };
  const text = manifestText(manifest);
  web.files.set(`${folder}/manifest.json`, encode(text));
  return manifest;
}

async function textsOf(remote: WebRemote): Promise<Record<string, string>> {
  const tree = await readAll(remote, 3);
  return Object.fromEntries(
    Object.entries(tree).map(([path, bytes]) => [
      path,
      new TextDecoder().decode(bytes),
    ]),
  );
}

const FILES = {
  "config.json": "{}",
  "deep/a b&é#%.txt": "odd",
  "w": "weights",
};

Deno.test("WebRemote reads a folder, with or without a slash, and a manifest by name", async () => {
  await using web = openWeb();
  const { revision } = await put(web, "/models/a", FILES);
  for (const end of ["", "/", "/manifest.json"]) {
    const remote = new WebRemote(`${web.url}/models/a${end}`, fetch);
    deepStrictEqual(await textsOf(remote), FILES);
    strictEqual((await remote.list(NEVER)).commit, revision);
    strictEqual(remote.place, `${web.url}/models/a/`);
  }
});

Deno.test("WebRemote reads without listing, as a second thread does", async () => {
  await using web = openWeb();
  await put(web, "/a", FILES);
  const { files } = await new WebRemote(`${web.url}/a`, fetch).list(NEVER);
  const stream = await new WebRemote(`${web.url}/a`, fetch)
    .read(files.at(-1)!, { start: 1, end: 4 }, NEVER);
  strictEqual(await new Response(stream).text(), "eig");
});

Deno.test("WebRemote sends query and password with every file of its host, and displays neither", async () => {
  await using web = openWeb();
  await put(web, "/a", FILES);
  const url = new URL(`${web.url}/a?sig=s3cr3t&x=1`);
  url.username = "me";
  url.password = "passw0rd";
  const remote = new WebRemote(url.href, fetch);
  deepStrictEqual(await textsOf(remote), FILES);
  for (const { url, headers } of web.asked) {
    strictEqual(url.search, "?sig=s3cr3t&x=1");
    strictEqual(headers.get("authorization"), `Basic ${btoa("me:passw0rd")}`);
  }
  web.fault = () => new Response("s3cr3t", { status: 403 });
  const error = await failure(remote.list(NEVER));
  deepStrictEqual(error.remedy, { type: "elsewhere" });
  match(error.message, /a signature in the URL may have expired/);
  ok(!/s3cr3t|passw0rd|me:/.test(`${remote.place} ${error.message}`));
});

Deno.test("WebRemote sends no secret to another host in the manifest", async () => {
  await using web = openWeb();
  await using other = openWeb();
  other.files.set("/else/w", encode("weights"));
  const urls = { w: `${other.url}/else/w?theirs=1`, "config.json": "x?own=2" };
  await put(web, "/a", FILES, urls);
  web.files.set("/a/x", encode("{}"));
  const url = new URL(`${web.url}/a?sig=s3cr3t`);
  url.username = "me";
  deepStrictEqual(await textsOf(new WebRemote(url.href, fetch)), FILES);
  for (const { url, headers } of other.asked) {
    strictEqual(url.search, "?theirs=1");
    strictEqual(headers.get("authorization"), null);
  }
  ok(web.asked.some(({ url }) => url.search === "?own=2"));
});

Deno.test("WebRemote detects a changed file and a changed manifest", async () => {
  await using web = openWeb();
  await put(web, "/a", FILES);
  const remote = new WebRemote(`${web.url}/a`, fetch);
  const file = (await remote.list(NEVER)).files.at(-1)!;
  const range = { start: 0, end: 7 };
  await new Response(await remote.read(file, range, NEVER)).text();
  web.files.set("/a/w", encode("WEIGHTS"));
  const changed = await failure(remote.read(file, range, NEVER));
  deepStrictEqual(changed.remedy, { type: "changed" });
  await put(web, "/a", { ...FILES, w: "others!" });
  const fresh = new WebRemote(`${web.url}/a`, fetch);
  const other = await failure(fresh.read(file, range, NEVER));
  deepStrictEqual(other.remedy, { type: "changed" });
});

Deno.test("WebRemote gives advice for servers without ranges, manifests or valid responses", async () => {
  await using web = openWeb();
  await put(web, "/a", FILES);
  const remote = new WebRemote(`${web.url}/a`, fetch);
  const file = (await remote.list(NEVER)).files.at(-1)!;
  web.fault = () => new Response("weights");
  const range = { start: 1, end: 3 };
  const whole = await failure(remote.read(file, range, NEVER));
  deepStrictEqual(whole.remedy, { type: "whole" });
  const all = await remote.read(file, { start: 0, end: 7 }, NEVER);
  strictEqual(await new Response(all).text(), "weights");
  const page = await failure(remote.list(NEVER));
  match(page.message, /not JSON, or is truncated/);
  web.fault = () => new Response(new Uint8Array(2 ** 24 + 1));
  match((await failure(remote.list(NEVER))).message, /over 16777216 bytes/);
  web.fault = () =>
    new Response("", { status: 503, headers: { "retry-after": "2" } });
  const busy = await failure(remote.list(NEVER));
  deepStrictEqual(busy.remedy, { type: "retry", retryAfterMs: 2000 });
  web.fault = () => undefined;
  const none = await failure(new WebRemote(`${web.url}/b`, fetch).list(NEVER));
  deepStrictEqual(none.remedy, { type: "elsewhere" });
});

Deno.test("WebRemote rejects URLs whose content could be changed in transit", async () => {
  for (const url of ["http://example.org/a", "ftp://127.0.0.1/a", "a/b"]) {
    throws(() => new WebRemote(url, fetch), /expected an https URL/);
  }
  await using web = openWeb();
  await put(web, "/a", { w: "weights" }, { w: "http://example.org/w" });
  const remote = new WebRemote(`${web.url}/a`, fetch);
  const [file] = (await remote.list(NEVER)).files;
  const error = await failure(remote.read(file!, { start: 0, end: 7 }, NEVER));
  match(error.message, /has no https URL/);
});

async function failure(promise: Promise<unknown>): Promise<RemoteError> {
  const error = await promise.then(() => undefined, (error) => error);
  ok(error instanceof RemoteError, String(error));
  return error;
}
