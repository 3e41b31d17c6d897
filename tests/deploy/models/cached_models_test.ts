import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { cachedModels } from "../../../deploy/models/cached_models.ts";
import { list } from "../../../deploy/models/list.ts";
import { FILES, putRevision } from "../../support/hub_folder.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { captureReport } from "../../support/captured_report.ts";

Deno.test("cachedModels() finds every model, its revisions and their names", async () => {
  using cache = temporaryFolder();
  putRevision(cache, "models--b--two", "c1", { refs: ["main", "pr/1"] });
  putRevision(cache, "models--b--two", "c2", { refs: [] });
  putRevision(cache, "models--a--one", "c3", { refs: ["main"] });
  putRevision(cache, "datasets--a--data", "c4", { refs: ["main"] });
  const models = await cachedModels([cache.path, join(cache.path, "none")]);
  deepStrictEqual(models.map(({ name }) => name), ["a/one", "b/two"]);
  const { revisions, loose } = models[1]!;
  deepStrictEqual(
    revisions.map(({ commit, refs, bytes, complete, blobs }) => [
      commit,
      [...refs].sort(),
      bytes,
      complete,
      blobs.length,
    ]),
    [["c1", ["main", "pr/1"], 9, true, 2], ["c2", [], 9, true, 2]],
  );
  deepStrictEqual(loose, []);
});

const INDEX = '{"weight_map": {"a": "x.safetensors", "b": "y.safetensors"}}';
const partial: Record<string, Record<string, string>> = {
  "no weights": { "config.json": "{}" },
  "no configuration": { "model.safetensors": "w" },
  "a missing shard": {
    "config.json": "{}",
    "model.safetensors.index.json": INDEX,
    "x.safetensors": "w",
  },
};

for (const [what, files] of Object.entries(partial)) {
  Deno.test(`cachedModels() marks a revision with ${what} as partial`, async () => {
    using cache = temporaryFolder();
    putRevision(cache, "models--a--b", "c", { refs: ["main"], files });
    const [model] = await cachedModels([cache.path]);
    strictEqual(model!.revisions[0]!.complete, false);
  });
}

Deno.test("cachedModels() marks a revision with a dangling link as partial", async () => {
  using cache = temporaryFolder();
  putRevision(cache, "models--a--b", "c", { refs: ["main"] });
  cache.link("models--a--b/snapshots/c/vocab.json", "../../blobs/none");
  const [model] = await cachedModels([cache.path]);
  strictEqual(model!.revisions[0]!.complete, false);
});

Deno.test("list() reports revisions, unfinished downloads, and empty caches", async () => {
  using cache = temporaryFolder();
  putRevision(cache, "models--a--b", "c", { refs: ["main"], files: FILES });
  cache.write("models--a--b/blobs/x.incomplete", "half");
  const { report, lines } = captureReport();
  await list([cache.path], report);
  deepStrictEqual(lines.map(({ event }) => event), [
    "model",
    "unfinished",
    "listed",
  ]);
  strictEqual(lines[0]!["state"], "complete");
  strictEqual(lines[1]!["files"], 1);
  using empty = temporaryFolder();
  const nothing = captureReport();
  await list([empty.path], nothing.report);
  strictEqual(nothing.lines[0]!["models"], 0);
});
