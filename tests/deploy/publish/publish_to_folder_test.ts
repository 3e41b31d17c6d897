import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { parseManifest } from "../../../deploy/cache/manifest/manifest.ts";
import {
  publishedFiles,
  PublishError,
} from "../../../deploy/publish/published_files.ts";
import { publishToFolder } from "../../../deploy/publish/publish_to_folder.ts";
import { LFS_POINTER } from "../../support/lfs_pointer.ts";
import {
  anyTree,
  CONFIG,
  NEVER,
  publicationOf,
  type Tree,
} from "../../support/publish_tree.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const OPTIONS = { replace: false, onBytes: () => {}, signal: NEVER };

async function treeIn(folder: string): Promise<Tree> {
  const tree: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const { path, from } of await publishedFiles(folder)) {
    tree[path] = await Deno.readFile(from);
  }
  return tree;
}

async function revisionIn(folder: string): Promise<string> {
  const written = await Deno.readTextFile(join(folder, "manifest.json"));
  return parseManifest(written).revision;
}

Deno.test("publishToFolder() creates a folder with the same files, and once only", async () => {
  await fc.assert(
    fc.asyncProperty(anyTree, async (tree) => {
      using from = temporaryFolder();
      using to = temporaryFolder();
      const target = join(to.path, "out");
      const publication = await publicationOf(from, tree);
      const publish = () =>
        publishToFolder(publication, from.path, target, OPTIONS);
      const count = Object.keys(tree).length;
      deepStrictEqual(await publish(), { sent: count, kept: 0 });
      deepStrictEqual(await treeIn(target), { ...tree });
      strictEqual(await revisionIn(target), publication.manifest.revision);
      deepStrictEqual(await publish(), { sent: 0, kept: count });
      deepStrictEqual(
        (await Array.fromAsync(Deno.readDir(to.path))).map(({ name }) => name),
        ["out"],
      );
    }),
    { numRuns: 10 },
  );
});

Deno.test("publishToFolder() resumes after an interruption, and the folder does not exist before", async () => {
  using from = temporaryFolder();
  using to = temporaryFolder();
  const tree = { "config.json": CONFIG, "w": new Uint8Array(350) };
  const publication = await publicationOf(from, tree);
  const target = join(to.path, "out");
  const stop = new AbortController();
  let parts = 0;
  const onBytes = () => {
    if (++parts === 3) stop.abort(new Error("enough"));
  };
  const broken = { ...OPTIONS, onBytes, signal: stop.signal };
  await rejects(
    publishToFolder(publication, from.path, target, broken),
    /enough/,
  );
  await rejects(Deno.stat(target), Deno.errors.NotFound);
  to.write("out.partial/of another", "content");
  deepStrictEqual(
    await publishToFolder(publication, from.path, target, OPTIONS),
    { sent: 1, kept: 1 },
  );
  deepStrictEqual(await treeIn(target), tree);
});

Deno.test("publishToFolder() adds only a manifest to a folder published into itself", async () => {
  using folder = temporaryFolder();
  const tree = { "config.json": CONFIG, "w": new Uint8Array(350) };
  const publication = await publicationOf(folder, tree);
  const { path } = folder;
  await publishToFolder(publication, path, path, OPTIONS);
  deepStrictEqual(await treeIn(path), tree);
  strictEqual(await revisionIn(path), publication.manifest.revision);
});

Deno.test("publishToFolder() keeps other content of the target, unless it may replace it", async () => {
  using from = temporaryFolder();
  using to = temporaryFolder();
  const publication = await publicationOf(from, { "config.json": CONFIG });
  to.write("out/notes.txt", "mine");
  const target = join(to.path, "out");
  await rejects(
    publishToFolder(publication, from.path, target, OPTIONS),
    /it has other content; choose another folder or add --replace/,
  );
  strictEqual(await Deno.readTextFile(join(target, "notes.txt")), "mine");
  const options = { ...OPTIONS, replace: true };
  await publishToFolder(publication, from.path, target, options);
  deepStrictEqual(await treeIn(target), { "config.json": CONFIG });
});

Deno.test("publishToFolder() rejects a file that changes during the copy", async () => {
  using from = temporaryFolder();
  using to = temporaryFolder();
  const tree = { "config.json": CONFIG, "w": new Uint8Array(350) };
  const publication = await publicationOf(from, tree);
  from.write("w", new Uint8Array(300));
  const target = join(to.path, "out");
  await rejects(
    publishToFolder(publication, from.path, target, OPTIONS),
    /changed during the publication/,
  );
  await rejects(Deno.stat(target), Deno.errors.NotFound);
});

Deno.test("publishToFolder() rejects a folder that another process fills", async () => {
  using from = temporaryFolder();
  using to = temporaryFolder();
  const publication = await publicationOf(from, { "config.json": CONFIG });
  const path = to.write("out.partial/.publish.lock", "");
  using lock = await Deno.open(path, { write: true });
  await lock.lock(true);
  await rejects(
    publishToFolder(publication, from.path, join(to.path, "out"), OPTIONS),
    /another process is publishing there/,
  );
});

Deno.test("publishToFolder() records the precision that older and newer savers write, at the top or nested", async () => {
  const configs = [
    { "torch_dtype": "float16" },
    { dtype: "float16" },
    { "text_config": { dtype: "float16" } },
    { "vq_config": { "torch_dtype": "float16" } },
    { dtype: null, "text_config": { dtype: "float16" } },
  ];
  for (const config of configs) {
    using folder = temporaryFolder();
    const json = new TextEncoder().encode(JSON.stringify(config));
    const { manifest } = await publicationOf(folder, { "config.json": json });
    strictEqual(manifest.precision, "fp16", JSON.stringify(config));
  }
});

Deno.test("publishedFiles() rejects a folder with no configuration, a dangling link, an odd name, a Git LFS pointer or a lost shard", async () => {
  using empty = temporaryFolder();
  await rejects(publishedFiles(empty.path), /it has no config.json/);
  using odd = temporaryFolder();
  odd.write("config.json", CONFIG);
  odd.write("a:b", "");
  await rejects(publishedFiles(odd.path), /not valid on every system/);
  using dangling = temporaryFolder();
  dangling.write("config.json", CONFIG);
  dangling.link("w", "nowhere");
  await rejects(publishedFiles(dangling.path), /a broken link/);
  using endless = temporaryFolder();
  endless.write("config.json", CONFIG);
  endless.link("again", ".");
  await rejects(publishedFiles(endless.path), /levels deep/);
  using sharded = temporaryFolder();
  sharded.write("config.json", CONFIG);
  sharded.write("model-00001-of-00002.safetensors", "");
  await rejects(
    publishedFiles(sharded.path),
    /index\.json: the file does not exist, and 1 of 2 shards need it/,
  );
  sharded.write(
    "model.safetensors.index.json",
    '{"weight_map": {"a": "model-00002-of-00002.safetensors"}}',
  );
  await rejects(
    publishedFiles(sharded.path),
    /publish .*model-00002-of-00002\.safetensors: it is listed in .* but missing/,
  );
  for (const name of ["config.json", "model.safetensors", "deep/vocab.txt"]) {
    using pointer = temporaryFolder();
    pointer.write("config.json", CONFIG);
    pointer.write(name, LFS_POINTER);
    await rejects(
      publishedFiles(pointer.path),
      (error) =>
        error instanceof PublishError && error.message.includes(name) &&
        /Git LFS pointer.*git lfs pull/.test(error.message),
    );
  }
});
