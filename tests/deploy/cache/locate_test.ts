import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import {
  locate,
  placesFrom,
  SourceError,
} from "../../../deploy/cache/locate.ts";

import { LFS_POINTER } from "../../support/lfs_pointer.ts";

/** Creates a folder that is removed on disposal. */
async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function model(...parts: string[]): Promise<string> {
  const folder = join(...parts);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "config.json"), "{}");
  await Deno.writeTextFile(join(folder, "model.safetensors"), "");
  return folder;
}

Deno.test("locate() returns a folder unchanged", async () => {
  await using root = await temporaryFolder();
  const folder = await model(root.path, "anything");
  strictEqual(
    await locate(folder, { modelFolders: [], hubCaches: [] }),
    folder,
  );
});

Deno.test("locate() finds a name in the folders of models, in their order", async () => {
  await using root = await temporaryFolder();
  const first = await model(root.path, "a", "Emu3-Gen");
  await model(root.path, "b", "Emu3-Gen");
  const places = {
    modelFolders: ["none", "a", "b"].map((name) => join(root.path, name)),
    hubCaches: [],
  };
  strictEqual(await locate("BAAI/Emu3-Gen", places), first);
  strictEqual(await locate("Emu3-Gen", places), first);
});

Deno.test("locate() finds a repository's snapshot by branch, tag or commit", async () => {
  await using root = await temporaryFolder();
  const repository = join(root.path, "models--BAAI--Emu3-Gen");
  const commit = "0123abc";
  const folder = await model(repository, "snapshots", commit);
  for (const reference of ["main", "v1"]) {
    await Deno.mkdir(join(repository, "refs"), { recursive: true });
    await Deno.writeTextFile(
      join(repository, "refs", reference),
      `${commit}\n`,
    );
  }
  const places = { modelFolders: [], hubCaches: [root.path] };
  for (
    const source of [
      "BAAI/Emu3-Gen",
      "hf://BAAI/Emu3-Gen",
      "BAAI/Emu3-Gen@v1",
      `BAAI/Emu3-Gen@${commit}`,
    ]
  ) {
    strictEqual(await locate(source, places), folder);
  }
  await rejects(locate("BAAI/Emu3-Gen@v2", places), SourceError);
});

Deno.test("locate() reports a snapshot with Git LFS pointers as weights, or with shards without an index", async () => {
  await using root = await temporaryFolder();
  const repository = join(root.path, "models--org--tiny");
  const folder = await model(repository, "snapshots", "main");
  const weights = join(folder, "model.safetensors");
  const places = { modelFolders: [], hubCaches: [root.path] };
  await Deno.writeTextFile(weights, LFS_POINTER);
  await rejects(
    locate("org/tiny", places),
    /has no model\.safetensors: it is a Git LFS pointer.*git lfs pull/,
  );
  await Deno.rename(weights, join(folder, "model-00001-of-00002.safetensors"));
  await rejects(
    locate("org/tiny", places),
    /has no weights that can be opened \(.*1 of 2 shards need it/,
  );
});

Deno.test("locate() names every place that it searched", async () => {
  const places = { modelFolders: ["/no/models"], hubCaches: ["/no/hub"] };
  await rejects(locate("BAAI/Emu3-Gen", places), (error) => {
    ok(error instanceof SourceError);
    match(
      error.message,
      /"BAAI\/Emu3-Gen".*\/no\/models\/Emu3-Gen, \/no\/hub\/models--BAAI--Emu3-Gen/,
    );
    return true;
  });
});

Deno.test("placesFrom() follows the variables of Hugging Face's tools", () => {
  const hubOf = (variables: Record<string, string>) =>
    placesFrom((name) => variables[name]).hubCaches[0];
  strictEqual(hubOf({ HOME: "/h" }), "/h/.cache/huggingface/hub");
  strictEqual(
    hubOf({ HOME: "/h", XDG_CACHE_HOME: "/x" }),
    "/x/huggingface/hub",
  );
  strictEqual(hubOf({ HOME: "/h", HF_HOME: "/f" }), "/f/hub");
  strictEqual(hubOf({ HF_HOME: "/f", HF_HUB_CACHE: "/c" }), "/c");
  deepStrictEqual(
    placesFrom((name) => name === "MODEL_DIR" ? "/m" : undefined).modelFolders,
    ["/m", "/mnt/models", "/repository"],
  );
});
