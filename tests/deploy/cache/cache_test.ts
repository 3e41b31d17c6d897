/**
 * The tests of a cache's content: visible to other tools, verified and
 * repaired.
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
import { obtain } from "../../../deploy/cache/obtain.ts";
import { RemoteError } from "../../../deploy/cache/net/remote.ts";
import { fakeRemote, opening } from "../../support/fake_remote.ts";
import {
  gitHashOf,
  type HubServer,
  hubServer,
  REPOSITORY,
  sha256Of,
} from "../../support/hub_server.ts";
import { fastRetries, obtainOptions } from "../../support/obtain_options.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { hubModel, wantedOf } from "../../support/tiny_hub_model.ts";
import type { ObtainProgress } from "../../../deploy/cache/progress.ts";

const model = hubModel(3);
const wanted = wantedOf(model);
const SHARD = "model-00001-of-00002.safetensors";

function isWhole(folder: string): void {
  for (const [path, content] of wanted) {
    const there = Deno.readFileSync(join(folder, path));
    strictEqual(sha256Of(there), sha256Of(content), path);
  }
}

/** Flips a byte of a file, and restores its time. */
async function spoil(path: string, at = 100): Promise<void> {
  const { atime, mtime } = await Deno.stat(path);
  const content = await Deno.readFile(path);
  content[at]! ^= 1;
  await Deno.writeFile(path, content);
  await Deno.utime(path, atime!, mtime!);
}

const fetched = ({ seen }: HubServer) => seen.filter(({ cdn }) => cdn).length;

Deno.test("obtain() lays out a cache like Hugging Face's tools", async () => {
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

Deno.test("obtain() with VERIFY=full finds a flipped byte, and fetches that file again", async () => {
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
  // The first requests the URL from the hub; one or more, as they run
  // concurrently.
  strictEqual(fetched(hub) - before, parts);
});

Deno.test("obtain() hashes a file whose time has changed: an intact one is kept, others are fetched", async () => {
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
    /has model-00001-of-00002.safetensors, whose content does not match/,
  );
});

Deno.test("obtain() repairs a truncated file, and never opens it", async () => {
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

Deno.test("obtain() completes a snapshot that another tool has left unfinished", async () => {
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

Deno.test("obtain() with VERIFY=full compares blobs of another tool with their names", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const folder = await obtain(
    REPOSITORY,
    obtainOptions(cache.path, hub.endpoint),
  );
  // Removes the record, as if another tool had downloaded it.
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

Deno.test("obtain() fetches only the part that is torn on the disk again", async () => {
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
      transferOptions: { ...fastRetries, connections: 1 },
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
  // The torn part, and the one that was in progress.
  ok(again.some((range) => range.endsWith(`bytes=${2 ** 15}-${2 ** 16 - 1}`)));
  ok(again.length <= 2, `${again.length} came again`);
});

Deno.test("obtain() requests from the next mirror only the bytes that are missing", async () => {
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
    transferOptions: { ...fastRetries, connections: 1 },
    openRemote: opening({ "org/one": halting, "org/two": rest }),
  });
  isWhole(folder);
  match(folder, /models--org--one.snapshots.2{40}$/);
  ok(asked.includes("model-00002-of-00002.safetensors"));
  ok(!asked.includes(SHARD));
});

Deno.test("obtain() downloads the same content in workers", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model], token: "hf_secret" });
  const variables = { HF_TOKEN: "hf_secret" };
  const options = obtainOptions(cache.path, hub.endpoint, variables);
  const transferOptions = { ...fastRetries, workers: 2 };
  isWhole(await obtain(REPOSITORY, { ...options, transferOptions }));
});

Deno.test("obtain() in workers reports errors, and stops on abort", async () => {
  const transferOptions = { ...fastRetries, workers: 2 };
  using cache = temporaryFolder();
  const stop = new AbortController();
  await using bad = hubServer({
    versions: [model],
    faults: (n) => n < 1 ? undefined : { type: "status", status: 500 },
  });
  await rejects(
    obtain(REPOSITORY, {
      ...obtainOptions(cache.path, bad.endpoint),
      transferOptions,
    }),
    /Cannot read .* of org\/tiny@main.*the hub responds with 500/,
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
      transferOptions: {
        ...transferOptions,
        retryPolicy: {
          ...fastRetries.retryPolicy,
          attempts: 1_000,
          stallMs: 150,
        },
      },
      signal: stop.signal,
    }),
    /enough/,
  );
});

Deno.test("obtain() puts files into the snapshot itself on a disk without links", async () => {
  using cache = temporaryFolder();
  await using hub = hubServer({ versions: [model] });
  const root = new URL("../../..", import.meta.url).pathname;
  const script = join(root, "tests/support/obtain_process.ts");
  // Deno creates links only with permission to write anywhere.
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
