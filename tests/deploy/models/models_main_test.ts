import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { parseManifest } from "../../../deploy/cache/manifest/manifest.ts";
import { putRevision } from "../../support/hub_folder.ts";
import { openS3Server } from "../../support/s3_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Returns the permissions of `deno task models`. */
async function permissions(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  return tasks.models.command.match(/--allow-\S+/g);
}

async function models(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      ...await permissions(),
      `${ROOT}deploy/models/main.ts`,
      ...words,
    ],
    env,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function events(stdout: string): Record<string, unknown>[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("models publish writes a checkpoint to a folder, whose manifest then verifies it", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "out");
  const { code, stdout, stderr } = await models([
    "publish",
    tinyFolder("emu3-tiny"),
    out,
  ]);
  strictEqual(code, 0, stderr);
  const last = events(stdout).at(-1)!;
  strictEqual(last["event"], "published");
  const written = await Deno.readTextFile(join(out, "manifest.json"));
  const manifest = parseManifest(written);
  strictEqual(manifest.revision, last["revision"]);
  strictEqual(manifest.model, "emu3-tiny");
  const good = await models(["verify", out]);
  strictEqual(good.code, 0, good.stderr);
  await Deno.writeTextFile(join(out, "config.json"), "{}");
  const bad = await models(["verify", out]);
  strictEqual(bad.code, 1);
  const found = events(bad.stdout).filter(({ event }) => event === "bad");
  deepStrictEqual(found.map(({ path }) => path), ["config.json"]);
});

Deno.test("models publish writes to S3, and never shows a secret when that fails", async () => {
  await using server = openS3Server();
  const words = ["publish", tinyFolder("emu3-tiny"), "s3://models/a"];
  const wrong = { ...server.variables, AWS_SECRET_ACCESS_KEY: "s3cr3t" };
  const refused = await models(words, wrong);
  strictEqual(refused.code, 1);
  match(
    refused.stderr,
    /Cannot .* s3:\/\/models\/a\/: .*403.*AWS_ACCESS_KEY_ID/,
  );
  const said = refused.stdout + refused.stderr;
  for (const secret of ["s3cr3t", "AKIDEXAMPLE", "a session's", "http://"]) {
    ok(!said.includes(secret), secret);
  }
  const { code, stdout, stderr } = await models(words, server.variables);
  strictEqual(code, 0, stderr);
  strictEqual(events(stdout).at(-1)!["place"], "s3://models/a/");
  ok(server.objects.has("a/manifest.json"));
});

Deno.test("models publish pulls from one store into a folder at once, and hides the secrets of a URL", async () => {
  await using server = openS3Server();
  using cache = temporaryFolder();
  const env = { ...server.variables, HF_HUB_CACHE: cache.path };
  await models(["publish", tinyFolder("emu3-tiny"), "s3://models/a"], env);
  const out = join(cache.path, "out");
  const { code, stdout, stderr } = await models(
    ["publish", "s3://models/a", out],
    env,
  );
  strictEqual(code, 0, stderr);
  strictEqual(
    parseManifest(await Deno.readTextFile(join(out, "manifest.json"))).revision,
    events(stdout).at(-1)!["revision"],
  );
  const secret = "s3://models/b?sig=s3cr3t";
  const missing = await models(["pull", `${secret},s3://models/none`], env);
  strictEqual(missing.code, 1);
  ok(!(missing.stdout + missing.stderr).includes("s3cr3t"), missing.stderr);
});

Deno.test("models list, verify and prune work on a cache", async () => {
  using cache = temporaryFolder();
  putRevision(cache, "models--a--b", "old", { refs: [] });
  putRevision(cache, "models--a--b", "new", { refs: ["main"] });
  const env = { HF_HUB_CACHE: cache.path };
  const listed = events((await models(["list"], env)).stdout);
  deepStrictEqual(
    listed.filter(({ event }) => event === "model")
      .map(({ revision }) => revision),
    ["new", "old"],
  );
  const verified = await models(["verify", "--all"], env);
  strictEqual(verified.code, 0, verified.stdout);
  const pruned = events((await models(["prune"], env)).stdout);
  deepStrictEqual(pruned[0]!["revisions"], ["old"]);
  const pulled = await models(["pull", "a/b"], env);
  strictEqual(pulled.code, 0, pulled.stderr);
  match(String(events(pulled.stdout).at(-1)!["folder"]), /snapshots\/new$/);
});

Deno.test("models exits with 2 for invalid usage, with 1 for a missing model", async () => {
  const wrong = await models(["fetch"]);
  strictEqual(wrong.code, 2);
  match(wrong.stderr, /Usage: deno task models/);
  const folder = "./no-such-folder";
  const missing = await models(["verify", folder]);
  strictEqual(missing.code, 1);
  match(missing.stderr, /Cannot find model/);
  const place = await models(["publish", tinyFolder("emu3-tiny"), "ftp://a/b"]);
  strictEqual(place.code, 1);
  match(place.stderr, /Cannot publish to "ftp:\/\/a\/b": expected a folder/);
  const help = await models(["--help"]);
  strictEqual(help.code, 0);
  match(help.stdout, /^Usage/);
});

Deno.test("models publish exits with 130 on an interrupt, and publishes nothing", async () => {
  await using server = openS3Server();
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  server.fault = () => {
    asked.resolve();
    return new Response(new ReadableStream({ pull: () => held.promise }));
  };
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      ...await permissions(),
      `${ROOT}deploy/models/main.ts`,
      "publish",
      tinyFolder("emu3-tiny"),
      "s3://models/a",
    ],
    env: server.variables,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await asked.promise;
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  held.resolve();
  strictEqual(code, 130, new TextDecoder().decode(stderr));
  strictEqual(server.objects.size, 0);
});

Deno.test("models verify finds a truncated file and a missing shard in a cache without links", async () => {
  for (const damage of [undefined, "cut", "gone"]) {
    using cache = temporaryFolder();
    const snapshot = "models--org--emu3-tiny/snapshots/c";
    for await (const { name } of Deno.readDir(tinyFolder("emu3-tiny"))) {
      const bytes = await Deno.readFile(join(tinyFolder("emu3-tiny"), name));
      cache.write(`${snapshot}/${name}`, bytes);
    }
    cache.write("models--org--emu3-tiny/refs/main", "c");
    const shard = join(
      cache.path,
      snapshot,
      "model-00002-of-00002.safetensors",
    );
    if (damage === "cut") await Deno.truncate(shard, 999);
    if (damage === "gone") await Deno.remove(shard);
    const env = { HF_HUB_CACHE: cache.path, MODEL_CACHE: "" };
    const { code, stdout, stderr } = await models(["verify", "--all"], env);
    strictEqual(code, damage === undefined ? 0 : 1, stderr);
    const bad = events(stdout).filter(({ event }) => event === "bad");
    deepStrictEqual(
      bad.map(({ path }) => path),
      damage === undefined ? [] : ["model-00002-of-00002.safetensors"],
    );
    if (damage !== "gone") continue;
    // The name alone does not find it, and the message lists what it lacks.
    const named = await models(["verify", "org/emu3-tiny"], env);
    strictEqual(named.code, 1);
    match(named.stderr, /lacks model-00002-of-00002\.safetensors/);
  }
});

Deno.test("models pull creates no files for a name that no place has", async () => {
  using cache = temporaryFolder();
  const env = {
    HF_HUB_CACHE: cache.path,
    MODEL_CACHE: "",
    HF_HUB_OFFLINE: "1",
  };
  strictEqual((await models(["pull", "org/none"], env)).code, 1);
  const names = await Array.fromAsync(
    Deno.readDir(cache.path),
    ({ name }) => name,
  );
  deepStrictEqual(names.filter((name) => name !== ".locks"), []);
  const listed = events((await models(["list"], env)).stdout);
  deepStrictEqual(listed.map(({ event, models }) => [event, models]), [
    ["listed", 0],
  ]);
});
