import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { parseArguments } from "../../../deploy/models/arguments.ts";
import { cachedModels } from "../../../deploy/models/cached_models.ts";
import { list } from "../../../deploy/models/list.ts";
import { prune } from "../../../deploy/models/prune.ts";
import { FILES, putRevision } from "../../support/hub_folder.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { captureReport } from "../../support/captured_report.ts";
import { until } from "../../support/until.ts";

const NOW = Date.now() + 10 * 24 * 3_600_000;

async function pruned(cache: TemporaryFolder, line: string) {
  const asked = parseArguments(`prune ${line}`.trim().split(" "));
  if (asked.command !== "prune") throw new TypeError("expected prune");
  const { report, lines } = captureReport();
  await prune([cache.path], asked, report, NOW);
  return lines;
}

/**
 * Returns a cache with two revisions that share their configuration, and loose
 * files.
 */
function fullCache(): TemporaryFolder {
  const cache = temporaryFolder();
  const old = { ...FILES, "model.safetensors": "older weights" };
  putRevision(cache, "models--a--b", "old", { refs: [], files: old });
  putRevision(cache, "models--a--b", "new", { refs: ["main"] });
  for (const commit of ["old", "new"]) {
    cache.write(`models--a--b/.emu3/${commit}.json`, "[]");
  }
  cache.write("models--a--b/blobs/orphan", "of nobody");
  cache.write("models--a--b/blobs/x.incomplete", "half");
  cache.write(".locks/models--a--b/x.lock", "");
  return cache;
}

function blobs(cache: TemporaryFolder): number {
  return [...Deno.readDirSync(join(cache.path, "models--a--b/blobs"))].length;
}

Deno.test("prune() removes revisions without a name and files without a revision, and keeps shared files", async () => {
  using cache = fullCache();
  const told = await pruned(cache, "");
  deepStrictEqual(told[0]!["revisions"], ["old"]);
  const notes = await Array.fromAsync(
    Deno.readDir(join(cache.path, "models--a--b/.emu3")),
    ({ name }) => name,
  );
  deepStrictEqual(notes, ["new.json"]);
  const [model] = await cachedModels([cache.path]);
  deepStrictEqual(
    model!.revisions.map(({ commit, complete }) => [commit, complete]),
    [["new", true]],
  );
  deepStrictEqual(model!.loose.map(({ partial }) => partial), [true]);
  strictEqual(blobs(cache), 3);
  deepStrictEqual((await pruned(cache, "")).map(({ event }) => event), [
    "done",
  ]);
});

Deno.test("prune() keeps the only revision, even without a name", async () => {
  using cache = temporaryFolder();
  putRevision(cache, "models--a--b", "only", { refs: [] });
  await pruned(cache, "");
  strictEqual((await cachedModels([cache.path]))[0]!.revisions.length, 1);
});

Deno.test("prune() reports with --dry-run the removals of a real run, and removes nothing", async () => {
  using cache = fullCache();
  const said = await pruned(cache, "--dry-run");
  strictEqual(blobs(cache), 5);
  const done = await pruned(cache, "");
  strictEqual(said[0]!["event"], "would-prune");
  strictEqual(said[0]!["bytes"], done[0]!["bytes"]);
});

Deno.test("prune() removes with --partial unfinished downloads, and nothing else", async () => {
  using cache = fullCache();
  await pruned(cache, "--partial");
  const [model] = await cachedModels([cache.path]);
  strictEqual(model!.revisions.length, 2);
  deepStrictEqual(model!.loose.map(({ partial }) => partial), [false]);
});

Deno.test("prune() removes with --older-than whole models that are unread, and only those", async () => {
  using cache = fullCache();
  await pruned(cache, "--older-than 11d");
  strictEqual((await cachedModels([cache.path]))[0]!.revisions.length, 1);
  let [event] = await pruned(cache, "--older-than 9d");
  // A child that another test forks at this moment shares the lock of the run
  // before, until it executes its program.
  await until(async () => {
    if (event!["event"] === "in-use") {
      [event] = await pruned(cache, "--older-than 9d");
    }
    return event!["event"] !== "in-use";
  });
  strictEqual(event!["whole"], true);
  deepStrictEqual(await cachedModels([cache.path]), []);
});

for (const name of ["a/b", "hf://a/b", "A/B@main"]) {
  Deno.test(`prune() keeps what --keep ${name} names`, async () => {
    using cache = fullCache();
    await pruned(cache, `--older-than 1h --keep ${name}`);
    strictEqual(blobs(cache), 5);
  });
}

Deno.test("prune() keeps everything that a running process has locked", async () => {
  using cache = fullCache();
  const lock = join(cache.path, ".locks/models--a--b/x.lock");
  const holder = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `const file = await Deno.open(${JSON.stringify(lock)}, { write: true });
       await file.lock(true);
       console.log("held");
       await Deno.stdin.read(new Uint8Array(1));`,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  const told = await pruned(cache, "--older-than 1h");
  deepStrictEqual(told.map(({ event }) => event), ["in-use", "done"]);
  strictEqual(blobs(cache), 5);
  await holder.stdin.close();
  await reader.cancel();
  await holder.status;
  await pruned(cache, "--older-than 1h");
  deepStrictEqual(await cachedModels([cache.path]), []);
});

Deno.test("prune() keeps the models of --keep by the URL of a store", async () => {
  using cache = temporaryFolder();
  const repository = "models--s3-0123456789ab--tiny";
  putRevision(cache, repository, "old", { refs: [] });
  putRevision(cache, repository, "new", { refs: ["main"] });
  cache.write(`${repository}/.emu3/source`, "s3://models/tiny");
  const count = async () =>
    (await cachedModels([cache.path]))[0]!.revisions.length;
  await pruned(cache, "--keep s3://models/tiny/");
  strictEqual(await count(), 2);
  await pruned(cache, "--keep s3://models/other");
  strictEqual(await count(), 1);
});

/** Puts a revision whose files are not links, as on disks without them. */
function putFiles(cache: TemporaryFolder, commit: string, ref?: string): void {
  const snapshot = `models--a--b/snapshots/${commit}`;
  cache.write(`${snapshot}/config.json`, "{}");
  cache.write(`${snapshot}/model.safetensors`, new Uint8Array(100_000).fill(1));
  if (ref !== undefined) cache.write(`models--a--b/refs/${ref}`, commit);
}

async function diskBytes(path: string): Promise<number> {
  const { blocks, size } = await Deno.stat(path);
  return blocks === null ? size : 512 * blocks;
}

Deno.test("prune() counts the bytes of files that are not links", async () => {
  using cache = temporaryFolder();
  putFiles(cache, "old");
  putFiles(cache, "new", "main");
  const weights = join(
    cache.path,
    "models--a--b/snapshots/new/model.safetensors",
  );
  const least = await diskBytes(weights);
  const said = await pruned(cache, "--dry-run");
  const done = await pruned(cache, "");
  for (const [told] of [said, done]) {
    const bytes = Number(told!["bytes"]);
    ok(bytes >= least && bytes < 2 * least, `${bytes} of ${least}`);
  }
  strictEqual(said[0]!["bytes"], done[0]!["bytes"]);
  strictEqual(done.at(-1)!["bytes"], done[0]!["bytes"]);
  const whole = await pruned(cache, "--older-than 1h");
  ok(Number(whole[0]!["bytes"]) >= least);
  deepStrictEqual(await cachedModels([cache.path]), []);
});

Deno.test("prune() counts no bytes of a file that keeps another name", async () => {
  using cache = temporaryFolder();
  putFiles(cache, "new", "main");
  const snapshots = join(cache.path, "models--a--b/snapshots");
  await Deno.mkdir(join(snapshots, "old"));
  for (const name of ["config.json", "model.safetensors"]) {
    await Deno.link(join(snapshots, "new", name), join(snapshots, "old", name));
  }
  const told = await pruned(cache, "");
  deepStrictEqual(told[0]!["revisions"], ["old"]);
  strictEqual(told[0]!["bytes"], 0);
});

Deno.test("prune() with --older-than keeps a recently read model whose files are not links", async () => {
  using cache = temporaryFolder();
  putFiles(cache, "only", "main");
  const folder = join(cache.path, "models--a--b/snapshots/only");
  const longAgo = new Date(NOW - 400 * 24 * 3_600_000);
  await Deno.utime(folder, longAgo, longAgo);
  await pruned(cache, "--older-than 11d");
  strictEqual((await cachedModels([cache.path])).length, 1);
});

Deno.test("prune() removes folders without files, and list() does not count them", async () => {
  using cache = temporaryFolder();
  cache.write("models--s3-0123456789ab--none/.emu3/source", "s3://models/none");
  for (const name of ["models--a--none/blobs", "models--b--none"]) {
    await Deno.mkdir(join(cache.path, name), { recursive: true });
  }
  // A file of another tool.
  cache.write("models--c--other/.no_exist/c/a.json", "");
  putRevision(cache, "models--a--b", "c", { refs: ["main"] });
  const { report, lines } = captureReport();
  await list([cache.path], report);
  deepStrictEqual(lines.map(({ event }) => event), ["model", "listed"]);
  strictEqual(lines.at(-1)!["models"], 1);
  await pruned(cache, "--partial");
  strictEqual((await cachedModels([cache.path])).length, 5);
  await pruned(cache, "");
  deepStrictEqual(
    (await cachedModels([cache.path])).map(({ name }) => name),
    ["a/b", "c/other"],
  );
});
