import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { manifestText } from "../../../deploy/cache/manifest/manifest.ts";
import { obtain } from "../../../deploy/cache/obtain.ts";
import { SourceError } from "../../../deploy/cache/locate.ts";
import {
  remoteFor,
  remoteVariables,
} from "../../../deploy/cache/net/remote_for.ts";
import { parseSource } from "../../../deploy/cache/source.ts";
import { openStore } from "../../../deploy/cache/stores/open_store.ts";
import { cachedModels } from "../../../deploy/models/cached_models.ts";
import { publishedFiles } from "../../../deploy/publish/published_files.ts";
import { publishToStore } from "../../../deploy/publish/publish_to_store.ts";
import { openGcsServer } from "../../support/gcs_server.ts";
import { fastRetries, obtainOptions } from "../../support/obtain_options.ts";
import {
  CONFIG,
  FAST_RETRIES,
  NEVER,
  publicationOf,
  type Tree,
} from "../../support/publish_tree.ts";
import { failed, openS3Server } from "../../support/s3_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const TREE: Tree = {
  "config.json": CONFIG,
  "deep/vocab.txt": new TextEncoder().encode("a b c"),
  "model.safetensors": new Uint8Array(200_000).map((_, i) => i % 253),
};

async function treeIn(folder: string): Promise<Tree> {
  const tree: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const { path, from } of await publishedFiles(folder)) {
    tree[path] = await Deno.readFile(from);
  }
  return tree;
}

const KINDS = { s3: () => openS3Server(2), gs: () => openGcsServer(2) };

for (const [scheme, open] of Object.entries(KINDS)) {
  for (const bare of [false, true]) {
    Deno.test(`obtain() downloads from ${scheme} a checkpoint published ${bare ? "without" : "with"} a manifest, once`, async () => {
      await using server = open();
      using from = temporaryFolder();
      using cache = temporaryFolder();
      const url = `${scheme}://models/tiny/v1`;
      const store = openStore(url, (name) => server.variables[name]);
      const publication = await publicationOf(from, TREE, 2 ** 16);
      const publishing = { replace: false, onBytes: () => {}, signal: NEVER };
      await publishToStore(publication, store, publishing, FAST_RETRIES);
      if (bare) server.objects.delete("tiny/v1/manifest.json");
      const options = obtainOptions(cache.path, "", server.variables);
      // Some responses are slow, and some connections break.
      let asked = 0;
      server.fault = () =>
        ++asked % 4 === 0 ? failed(503, "SlowDown") : undefined;
      const folder = await obtain(url, options);
      deepStrictEqual(await treeIn(folder), TREE);
      if (!bare) ok(folder.endsWith(publication.manifest.revision));
      const before = server.log.length;
      strictEqual(await obtain(url, options), folder);
      strictEqual(server.log.length, before, "a warm start asks nobody");
      const [cached] = await cachedModels([cache.path]);
      strictEqual(cached!.name, url, "its name says where it is from");
    });
  }
}

Deno.test("obtain() downloads in threads from a store", async () => {
  await using server = openS3Server();
  using cache = temporaryFolder();
  for (const [path, bytes] of Object.entries(TREE)) {
    server.store(`tiny/${path}`, bytes);
  }
  const folder = await obtain("s3://models/tiny", {
    ...obtainOptions(cache.path, "", server.variables),
    transferOptions: {
      ...fastRetries,
      workers: 1,
      retryPolicy: { ...fastRetries.retryPolicy, stallMs: 5000 },
    },
  });
  deepStrictEqual(await treeIn(folder), TREE);
});

Deno.test("obtain() tries the next mirror after a refusal, and reports every refusal if none has the model", async () => {
  await using s3 = openS3Server();
  await using gs = openGcsServer();
  using cache = temporaryFolder();
  for (const [path, bytes] of Object.entries(TREE)) {
    gs.store(`tiny/${path}`, bytes);
  }
  const variables = { ...s3.variables, ...gs.variables };
  const options = obtainOptions(cache.path, "", variables);
  const folder = await obtain("s3://models/none, gs://models/tiny", options);
  deepStrictEqual(await treeIn(folder), TREE);
  await rejects(obtain("s3://models/other", options), (error) => {
    match(String(error), /s3:\/\/models\/other\/: it has neither a manifest/);
    return error instanceof SourceError;
  });
});

Deno.test("remoteFor() opens every kind of URL, and rejects those that name no place", async () => {
  using folder = temporaryFolder();
  const { manifest } = await publicationOf(folder, TREE);
  const text = manifestText(manifest);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(text),
  );
  const variables = remoteVariables(() => undefined);
  const web = parseSource("https://example.org/models/tiny?sig=s3cr3t");
  if (web.type === "folder") throw new TypeError("expected a URL");
  const url = `http://127.0.0.1:${server.addr.port}/tiny`;
  const local = { ...web, type: "https" as const, url };
  using opened = await remoteFor(local, variables, undefined);
  const { commit } = await opened.remote.list(NEVER);
  strictEqual(commit, manifest.revision);
  using guarded = await remoteFor(web, variables, undefined);
  strictEqual(guarded.remote.place, "https://example.org/models/tiny/");
  const wrong = {
    ...local,
    text: "s3://b/c?x=s3cr3t",
    url: "s3://b/c?x=s3cr3t",
    type: "s3" as const,
  };
  await rejects(remoteFor(wrong, variables, undefined), (error) => {
    match(String(error), /Cannot read s3:\/\/b\/c: expected s3:\/\/bucket/);
    ok(!String(error).includes("s3cr3t"));
    return true;
  });
});
