/**
 * What is in a cache: seen by others, trusted, checked, mended.
 *
 * @module
 */

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { locate } from "../../../deploy/cache/locate.ts";
import { obtain, type ObtainProgress } from "../../../deploy/cache/obtain.ts";
import { RemoteError } from "../../../deploy/cache/net/remote.ts";
import { fakeRemote, opening } from "../../support/fake_remote.ts";
import {
  gitHashOf,
  type HubServer,
  hubServer,
  REPOSITORY,
  sha256Of,
} from "../../support/hub_server.ts";
import { impatient, obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { hubModel, wantedOf } from "../../support/tiny_hub_model.ts";

const model = hubModel(3);
const wanted = wantedOf(model);
const SHARD = "model-00001-of-00002.safetensors";

function isWhole(folder: string): void {
  for (const [path, content] of wanted) {
    const there = Deno.readFileSync(join(folder, path));
    strictEqual(sha256Of(there), sha256Of(content), path);
  }
}

/** Flips a byte of a file, and sets its time back to what it was. */
async function spoil(path: string, at = 100): Promise<void> {
  const { atime, mtime } = await Deno.stat(path);
  const content = await Deno.readFile(path);
  content[at]! ^= 1;
  await Deno.writeFile(path, content);
  await Deno.utime(path, atime!, mtime!);
}

const fetched = ({ seen }: HubServer) => seen.filter(({ cdn }) => cdn).length;

Deno.test("a cache looks as Hugging Face's tools make it", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  await obtain(REPOSITORY, obtainOptions(cache.path, hub.endpoint));
  const repository = join(cache.path, "models--org--tiny");
  const snapshot = join(repository, "snapshots", model.commit);
  strictEqual(
    await Deno.readTextFile(join(repository, "refs", "main")),
    model.commit,
  );
  for (const [path, content] of wanted) {
    const hash = path.endsWith(".safetensors")
      ? sha256Of(content)
      : gitHashOf(content);
    const up = path.includes("/") ? "../../../blobs" : "../../blobs";
    strictEqual(await Deno.readLink(join(snapshot, path)), `${up}/${hash}`);
  }
  const blobs = await Array.fromAsync(
    Deno.readDir(join(repository, "blobs")),
    ({ name }) => name,
  );
  strictEqual(blobs.length, wanted.size, "nothing is left over");
});

Deno.test("VERIFY=full finds a byte that is another, and only then fetches that file again", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const trusting = obtainOptions(cache.path, hub.endpoint);
  const checking = obtainOptions(cache.path, hub.endpoint, {}, true);
  const folder = await obtain(REPOSITORY, trusting);
  const before = fetched(hub);
  const heard: ObtainProgress[] = [];
  await obtain(REPOSITORY, {
    ...checking,
    onProgress: (one) => heard.push(one),
  });
  ok(heard.every(({ phase }) => phase === "verify"));
  strictEqual(heard.at(-1)!.bytes, heard.at(-1)!.totalBytes);
  await spoil(join(folder, SHARD));
  strictEqual(await obtain(REPOSITORY, trusting), folder);
  strictEqual(fetched(hub), before, "size and time are trusted");
  strictEqual(await obtain(REPOSITORY, checking), folder);
  isWhole(folder);
  const parts = Math.ceil(wanted.get(SHARD)!.length / 2 ** 15);
  // The first asks the hub where; one or more, as they come side by side.
  strictEqual(fetched(hub) - before, parts);
});

Deno.test("a file whose time is another is hashed: good is kept, bad is fetched", async () => {
  using cache = temporaryFolder();
  const hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  const folder = await obtain(REPOSITORY, options);
  await Deno.utime(join(folder, SHARD), 1, 1);
  const requests = hub.seen.length;
  strictEqual(await obtain(REPOSITORY, options), folder);
  const phases = new Set<string>();
  await obtain(REPOSITORY, {
    ...options,
    onProgress: ({ phase }) => void phases.add(phase),
  });
  deepStrictEqual(phases, new Set(), "the new time is noted");
  strictEqual(hub.seen.length, requests);
  await spoil(join(folder, SHARD));
  await Deno.utime(join(folder, SHARD), 2, 2);
  strictEqual(await obtain(REPOSITORY, options), folder);
  isWhole(folder);
  await spoil(join(folder, SHARD));
  await Deno.utime(join(folder, SHARD), 3, 3);
  await hub[Symbol.asyncDispose]();
  await rejects(
    obtain(REPOSITORY, options),
    /has other content than it should in model-00001-of-00002/,
  );
});

Deno.test("what is cut off is never opened, and mended", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const options = obtainOptions(cache.path, hub.endpoint);
  const folder = await obtain(REPOSITORY, options);
  await Deno.truncate(await Deno.realPath(join(folder, SHARD)), 99);
  await rejects(
    locate(REPOSITORY, options.places),
    /has 99 of 200003 bytes of model-00001/,
  );
  strictEqual(await obtain(REPOSITORY, options), folder);
  isWhole(folder);
  await Deno.remove(await Deno.realPath(join(folder, SHARD)));
  await rejects(locate(REPOSITORY, options.places), /lacks model-00001/);
  strictEqual(await obtain(REPOSITORY, options), folder);
  isWhole(folder);
});

Deno.test("a snapshot that another tool has left half-done is completed", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const at = `models--org--tiny/snapshots/${model.commit}`;
  for (const path of ["config.json", "model.safetensors.index.json"]) {
    const content = wanted.get(path)!;
    const blob = gitHashOf(content);
    cache.write(`models--org--tiny/blobs/${blob}`, content);
    cache.link(`${at}/${path}`, `../../blobs/${blob}`);
  }
  cache.write("models--org--tiny/refs/main", model.commit);
  const options = obtainOptions(cache.path, hub.endpoint);
  await rejects(locate(REPOSITORY, options.places), /lacks model-00001/);
  isWhole(await obtain(REPOSITORY, options));
  const config = `/${REPOSITORY}/resolve/${model.commit}/config.json`;
  ok(!hub.seen.some(({ path }) => path === config));
});

Deno.test("blobs of another tool are compared with their names by VERIFY=full", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const folder = await obtain(
    REPOSITORY,
    obtainOptions(cache.path, hub.endpoint),
  );
  // As if it were another's.
  await Deno.remove(join(cache.path, "models--org--tiny", ".emu3"), {
    recursive: true,
  });
  const checking = obtainOptions(cache.path, hub.endpoint, {}, true);
  const requests = hub.seen.length;
  strictEqual(await obtain(REPOSITORY, checking), folder);
  strictEqual(hub.seen.length, requests);
  await spoil(join(folder, "emu3.tiktoken"));
  strictEqual(await obtain(REPOSITORY, checking), folder);
  isWhole(folder);
});

Deno.test("a part that is torn on the disk is fetched again, and no other", async () => {
  using cache = temporaryFolder();
  const stop = new AbortController();
  await using hub = hubServer({
    versions: [model],
    faults: (request) => {
      if (request === 16) stop.abort(new Error("enough"));
      return undefined;
    },
  });
  const options = obtainOptions(cache.path, hub.endpoint);
  await rejects(
    obtain(REPOSITORY, {
      ...options,
      effort: { ...impatient, connections: 1 },
      signal: stop.signal,
    }),
    /enough/,
  );
  const blobs = join(cache.path, "models--org--tiny", "blobs");
  const begun = await Array.fromAsync(Deno.readDir(blobs), ({ name }) => name);
  const data = begun.find((name) => name.endsWith(".emu3.incomplete"))!;
  await spoil(join(blobs, data), 2 ** 15 + 1);
  isWhole(await obtain(REPOSITORY, options));
  const again = hub.seen.filter(({ cdn }) => cdn)
    .map(({ path, range }) => path + range)
    .filter((range, i, all) => all.indexOf(range) !== i);
  // It, and the one that was under way.
  ok(again.some((range) => range.endsWith(`bytes=${2 ** 15}-${2 ** 16 - 1}`)));
  ok(again.length <= 2, `${again.length} came again`);
});

Deno.test("mirrors share what has come: only the rest is asked of the next", async () => {
  using cache = temporaryFolder();
  const whole = fakeRemote(wanted, "2".repeat(40));
  const asked: string[] = [];
  const halting = {
    ...fakeRemote(wanted, "1".repeat(40)),
    read: (...args: Parameters<typeof whole.read>) => {
      if (args[0].path !== "model-00002-of-00002.safetensors") {
        return whole.read(...args);
      }
      throw new RemoteError("Cannot read it: it is gone", {
        type: "elsewhere",
      });
    },
  };
  const rest = {
    ...whole,
    read: (...args: Parameters<typeof whole.read>) => {
      asked.push(args[0].path);
      return whole.read(...args);
    },
  };
  const folder = await obtain("org/one org/two", {
    ...obtainOptions(cache.path, "unused:"),
    effort: { ...impatient, connections: 1 },
    openRemote: opening({ "org/one": halting, "org/two": rest }),
  });
  isWhole(folder);
  match(folder, /models--org--one.snapshots.2{40}$/);
  ok(asked.includes("model-00002-of-00002.safetensors"));
  ok(!asked.includes(SHARD));
});

Deno.test("workers bring the same", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model], token: "hf_secret" });
  const variables = { HF_TOKEN: "hf_secret" };
  const options = obtainOptions(cache.path, hub.endpoint, variables);
  const effort = { ...impatient, workers: 2 };
  isWhole(await obtain(REPOSITORY, { ...options, effort }));
});

Deno.test("workers tell what went wrong, and stop when told to", async () => {
  const effort = { ...impatient, workers: 2 };
  using cache = temporaryFolder();
  const stop = new AbortController();
  await using bad = hubServer({
    versions: [model],
    faults: (n) => n < 1 ? undefined : { type: "status", status: 500 },
  });
  await rejects(
    obtain(REPOSITORY, { ...obtainOptions(cache.path, bad.endpoint), effort }),
    /Cannot read .* of org\/tiny@main.*the hub answers 500/,
  );
  await using slow = hubServer({
    versions: [model],
    faults: (n) => {
      if (n === 9) stop.abort(new Error("enough"));
      return n < 1 ? undefined : { type: "stall", after: 0.5 };
    },
  });
  await rejects(
    obtain(REPOSITORY, {
      ...obtainOptions(cache.path, slow.endpoint),
      effort: {
        ...effort,
        patience: { ...impatient.patience, attempts: 1_000 },
      },
      signal: stop.signal,
    }),
    /enough/,
  );
});

Deno.test("where no links can be made, files stand in the snapshot themselves", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const root = new URL("../../..", import.meta.url).pathname;
  const script = join(root, "tests/support/obtain_process.ts");
  // Deno links only for those who may write anywhere.
  const obtaining = () =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "--no-prompt",
        `--allow-read=${root},${cache.path}`,
        `--allow-write=${cache.path}`,
        "--allow-net",
        "--allow-env",
        "--allow-sys",
        script,
        REPOSITORY,
        cache.path,
        hub.endpoint,
      ],
      stderr: "inherit",
    }).output();
  for (let i = 0; i < 2; i++) {
    const { stdout } = await obtaining();
    const { folder } = JSON.parse(
      new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!,
    );
    ok((await Deno.lstat(join(folder, SHARD))).isFile);
    isWhole(folder);
  }
  const listings = hub.seen.filter(({ path }) => path.startsWith("/api/"));
  strictEqual(listings.length, 1);
});
