import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import fc from "fast-check";
import { RemoteError } from "../../../deploy/cache/net/remote.ts";
import type { ObjectStore } from "../../../deploy/cache/stores/object_store.ts";
import { openStore } from "../../../deploy/cache/stores/open_store.ts";
import { StoreRemote } from "../../../deploy/cache/stores/store_remote.ts";
import { publishToStore } from "../../../deploy/publish/publish_to_store.ts";
import { PublishError } from "../../../deploy/publish/published_files.ts";
import { openGcsServer } from "../../support/gcs_server.ts";
import {
  anyTree,
  CONFIG,
  FAST_RETRIES,
  NEVER,
  publicationOf,
  readAll,
} from "../../support/publish_tree.ts";
import { failed, openS3Server } from "../../support/s3_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const OPTIONS = { replace: false, onBytes: () => {}, signal: NEVER };
const REPLACE = { ...OPTIONS, replace: true };

const KINDS = {
  s3: () => openS3Server(3),
  gs: () => openGcsServer(3),
};

function storeOf(
  scheme: string,
  { variables }: { readonly variables: Readonly<Record<string, string>> },
  prefix = "a prefix/v1+2",
): ObjectStore {
  const url = `${scheme}://models/${prefix}`;
  return openStore(url, (name) => variables[name], {
    retryPolicy: FAST_RETRIES,
  });
}

for (const [scheme, open] of Object.entries(KINDS)) {
  Deno.test(`publishToStore() writes to ${scheme} the bytes that a remote reads back`, async () => {
    await fc.assert(
      fc.asyncProperty(
        anyTree,
        fc.integer({ min: 20, max: 200 }),
        async (tree, size) => {
          await using server = open();
          using folder = temporaryFolder();
          const store = storeOf(scheme, server);
          const publication = await publicationOf(folder, tree);
          let bytes = 0;
          const onBytes = (more: number) => bytes += more;
          const options = { ...OPTIONS, onBytes };
          const count = Object.keys(tree).length;
          deepStrictEqual(
            await publishToStore(publication, store, options, FAST_RETRIES),
            { sent: count, kept: 0 },
          );
          strictEqual(
            bytes,
            Object.values(tree).reduce((sum, { length }) => sum + length, 0),
          );
          const remote = new StoreRemote(store);
          deepStrictEqual(await readAll(remote, size), { ...tree });
          const { commit } = await remote.list(NEVER);
          strictEqual(commit, publication.manifest.revision);
          strictEqual(server.objects.size, count + 1);
        },
      ),
      { numRuns: 5 },
    );
  });

  Deno.test(`publishToStore() to ${scheme} interrupted anywhere is invisible to readers, and resumes`, async () => {
    using folder = temporaryFolder();
    const weights = new Uint8Array(350).map((_, i) => i);
    const tree = { "config.json": CONFIG, "model.safetensors": weights };
    const publication = await publicationOf(folder, tree);
    for (let most = 1;; most++) {
      await using server = open();
      const store = storeOf(scheme, server);
      let requests = 0;
      server.fault = () =>
        ++requests > most ? failed(403, "AccessDenied") : undefined;
      const torn = publishToStore(publication, store, OPTIONS, FAST_RETRIES)
        .then(() => undefined, (error) => error);
      const error = await torn;
      server.fault = () => undefined;
      if (error !== undefined) {
        ok(error instanceof RemoteError, String(error));
        const manifest = server.objects.has("a prefix/v1+2/manifest.json");
        const remote = new StoreRemote(store);
        if (manifest) deepStrictEqual(await readAll(remote, 99), tree);
        else {await rejects(
            remote.list(NEVER),
            /neither a manifest|publication/,
          );}
        await publishToStore(publication, store, OPTIONS, FAST_RETRIES);
      }
      deepStrictEqual(await readAll(new StoreRemote(store), 99), tree);
      strictEqual(server.objects.size, 3);
      if (error === undefined) break;
    }
  });

  Deno.test(`publishToStore() to ${scheme} sends nothing twice`, async () => {
    await using server = open();
    using folder = temporaryFolder();
    const store = storeOf(scheme, server);
    const tree = { "config.json": CONFIG, "w": new Uint8Array(350) };
    const publication = await publicationOf(folder, tree);
    await publishToStore(publication, store, OPTIONS, FAST_RETRIES);
    const writes = () => server.log.filter((line) => /^(PUT|POST)/.test(line));
    const before = writes().length;
    const again = await publishToStore(
      publication,
      store,
      OPTIONS,
      FAST_RETRIES,
    );
    deepStrictEqual(again, { sent: 0, kept: 2 });
    strictEqual(writes().length, before);
    server.objects.delete("a prefix/v1+2/manifest.json");
    const third = await publishToStore(
      publication,
      store,
      REPLACE,
      FAST_RETRIES,
    );
    deepStrictEqual(third, { sent: 0, kept: 2 });
  });

  Deno.test(`publishToStore() to ${scheme} keeps another publication, unless it may replace it`, async () => {
    await using server = open();
    using one = temporaryFolder();
    using two = temporaryFolder();
    const store = storeOf(scheme, server);
    const old = { "config.json": CONFIG, "old": new Uint8Array(9) };
    await publishToStore(
      await publicationOf(one, old),
      store,
      OPTIONS,
      FAST_RETRIES,
    );
    const fresh = { "config.json": CONFIG, "new": new Uint8Array(8) };
    const publication = await publicationOf(two, fresh);
    await rejects(
      publishToStore(publication, store, OPTIONS, FAST_RETRIES),
      (error) => {
        match(String(error), /revision \w{40} of .* is there.*--replace/);
        return error instanceof PublishError;
      },
    );
    deepStrictEqual(await readAll(new StoreRemote(store), 50), old);
    await publishToStore(publication, store, REPLACE, FAST_RETRIES);
    deepStrictEqual(await readAll(new StoreRemote(store), 50), fresh);
    strictEqual(server.objects.size, 3);
  });

  Deno.test(`publishToStore() to ${scheme} keeps unrelated objects and unfinished publications`, async () => {
    await using server = open();
    using folder = temporaryFolder();
    const store = storeOf(scheme, server);
    const publication = await publicationOf(folder, { "config.json": CONFIG });
    server.store("a prefix/v1+2/notes.txt", "mine");
    const publish = () =>
      publishToStore(publication, store, OPTIONS, FAST_RETRIES);
    await rejects(publish(), /1 objects without a manifest/);
    server.store("a prefix/v1+2/manifest.json.unfinished", "another's");
    await rejects(publish(), /unfinished publication/);
    strictEqual(server.objects.size, 2);
  });

  Deno.test(`publishToStore() to ${scheme} rejects a file that changes during the upload`, async () => {
    await using server = open();
    using folder = temporaryFolder();
    const store = storeOf(scheme, server);
    const tree = { "config.json": CONFIG, "w": new Uint8Array(350) };
    const publication = await publicationOf(folder, tree);
    folder.write("w", new Uint8Array(350).fill(1, 340));
    await rejects(
      publishToStore(publication, store, OPTIONS, FAST_RETRIES),
      /changed during the publication/,
    );
    strictEqual(server.objects.has("a prefix/v1+2/manifest.json"), false);
    if ("uploads" in server) strictEqual(server.uploads.size, 0);
  });

  Deno.test(`publishToStore() to ${scheme} retries throttled requests`, async () => {
    await using server = open();
    using folder = temporaryFolder();
    const store = storeOf(scheme, server);
    const tree = { "config.json": CONFIG, "w": new Uint8Array(350).fill(3) };
    const publication = await publicationOf(folder, tree);
    const refused = new Set<string>();
    server.fault = ({ method, url, headers }) => {
      const key = `${method} ${url} ${headers.get("content-range")}`;
      if (refused.has(key)) return undefined;
      refused.add(key);
      return failed(503, "SlowDown", { "retry-after": "0" });
    };
    await publishToStore(publication, store, OPTIONS, FAST_RETRIES);
    server.fault = () => undefined;
    deepStrictEqual(await readAll(new StoreRemote(store), 999), tree);
  });

  Deno.test(`publishToStore() to ${scheme} stops on abort`, async () => {
    await using server = open();
    using folder = temporaryFolder();
    const store = storeOf(scheme, server);
    const tree = { "config.json": CONFIG, "w": new Uint8Array(350) };
    const publication = await publicationOf(folder, tree);
    const stop = new AbortController();
    server.fault = ({ method }) => {
      if (method === "PUT") stop.abort(new Error("enough"));
      return undefined;
    };
    const options = { ...OPTIONS, signal: stop.signal };
    await rejects(
      publishToStore(publication, store, options, FAST_RETRIES),
      /enough/,
    );
    strictEqual(server.objects.has("a prefix/v1+2/manifest.json"), false);
  });
}

Deno.test("publishToStore() sends only the parts of a file that S3 lacks", async () => {
  await using server = openS3Server(2);
  using folder = temporaryFolder();
  const store = storeOf("s3", server);
  const weights = new Uint8Array(650).map((_, i) => i % 251);
  const tree = { "config.json": CONFIG, "w": weights };
  const publication = await publicationOf(folder, tree);
  server.fault = ({ url }) =>
    /partNumber=[67]/.test(url) ? failed(403, "AccessDenied") : undefined;
  await rejects(publishToStore(publication, store, OPTIONS, FAST_RETRIES));
  strictEqual(server.uploads.size, 1);
  const [upload] = server.uploads.values();
  const there = upload!.parts.size;
  ok(there >= 1, "at least a part has come");
  // Damage at rest: the store's parts are compared, not trusted.
  upload!.parts.set(1, new Uint8Array(100));
  server.fault = () => undefined;
  server.log.length = 0;
  await publishToStore(publication, store, OPTIONS, FAST_RETRIES);
  const sent = server.log.filter((line) => /partNumber/.test(line)).length;
  strictEqual(sent, 7 - there + 1);
  deepStrictEqual(await readAll(new StoreRemote(store), 333), tree);
  strictEqual(server.uploads.size, 0);
});

Deno.test("publishToStore() reuses no part of an upload of other content", async () => {
  await using server = openS3Server();
  using folder = temporaryFolder();
  const store = storeOf("s3", server);
  const first = { "config.json": CONFIG, "w": new Uint8Array(350) };
  const one = await publicationOf(folder, first);
  server.fault = ({ url }) =>
    /partNumber=4/.test(url) ? failed(403, "AccessDenied") : undefined;
  await rejects(publishToStore(one, store, OPTIONS, FAST_RETRIES));
  const [stale] = server.uploads.keys();
  server.fault = () => undefined;
  const second = {
    "config.json": CONFIG,
    "w": new Uint8Array(350).fill(1, 340),
  };
  const two = await publicationOf(folder, second);
  await publishToStore(two, store, REPLACE, FAST_RETRIES);
  strictEqual(server.uploads.size, 0);
  ok(
    server.log.some((line) =>
      line.startsWith("DELETE") && line.includes(stale!)
    ),
  );
  const { sha256 } = server.objects.get("a prefix/v1+2/w")!;
  strictEqual(
    sha256,
    two.manifest.files.find(({ path }) => path === "w")!.sha256,
  );
  notStrictEqual(one.manifest.revision, two.manifest.revision);
});

Deno.test("publishToStore() resumes an interrupted session of Cloud Storage", async () => {
  await using server = openGcsServer();
  using folder = temporaryFolder();
  const store = storeOf("gs", server);
  const weights = new Uint8Array(350).map((_, i) => i % 251);
  const tree = { "config.json": CONFIG, "w": weights };
  const publication = await publicationOf(folder, tree);
  server.takes = 60;
  await publishToStore(publication, store, OPTIONS, FAST_RETRIES);
  deepStrictEqual(await readAll(new StoreRemote(store), 333), tree);
});

Deno.test("publishToStore() rejects a store whose bytes differ from those sent", async () => {
  await using server = openGcsServer();
  using folder = temporaryFolder();
  const store = storeOf("gs", server);
  const publication = await publicationOf(folder, { "config.json": CONFIG });
  server.fault = ({ method }) =>
    method === "PUT" ? Response.json({ md5Hash: "AAAA" }) : undefined;
  await rejects(
    publishToStore(publication, store, OPTIONS, FAST_RETRIES),
    /received bytes differ/,
  );
});
