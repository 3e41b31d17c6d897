/**
 * The tests of the server from an empty cache: a language model of a hub, a
 * vision tokenizer of a store, and all faults of their downloads.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { folderModel } from "../support/folder_model.ts";
import {
  type HubServer,
  hubServer,
  REPOSITORY,
  type SeenRequest,
} from "../support/hub_server.ts";
import { putModel } from "../support/published_model.ts";
import { openS3Server, type S3Server } from "../support/s3_server.ts";
import { type Spawned, spawnServer } from "../support/server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { tinyFolder } from "../support/tiny.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const MINI = join(ROOT, "models/emu3-mini");
const MINI_VISION = join(ROOT, "models/emu3-mini-visiontokenizer");

/** Range of the second of three parts of the weights of `MINI`. */
const SECOND = `bytes=${2 ** 23}-${2 ** 24 - 1}`;

/** Returns the variables for a hub, a store and a cache of the test's own. */
function variables(cache: string, hub: HubServer, store?: S3Server) {
  return {
    MODEL: REPOSITORY,
    MODEL_CACHE: join(cache, "hub"),
    XDG_CACHE_HOME: cache,
    HF_HOME: join(cache, "hf"),
    HF_ENDPOINT: hub.endpoint,
    THREADS: "1",
    ...store?.variables,
  };
}

/** Polls until `ask` returns a value. */
async function found<T>(ask: () => Promise<T | undefined>): Promise<T> {
  let answer: T | undefined;
  await until(async () => {
    answer = await ask().catch(() => undefined);
    return answer !== undefined;
  });
  return answer!;
}

async function statusOf(server: Spawned, path: string): Promise<number> {
  const answer = await fetch(server.url + path);
  await answer.body?.cancel();
  return answer.status;
}

interface ModelFields {
  readonly id: string;
  readonly state: string;
  readonly phases: readonly {
    readonly name: string;
    readonly transfer?: {
      readonly bytes: number;
      readonly total_bytes: number;
    };
  }[];
}

async function models(server: Spawned): Promise<readonly ModelFields[]> {
  return (await (await fetch(`${server.url}/v1/models`)).json()).data;
}

async function ready(server: Spawned): Promise<void> {
  match(await server.readyLine ?? "it ended", /^emu3 .* ready/);
}

async function picture(server: Spawned): Promise<Uint8Array> {
  const answer = await fetch(`${server.url}/v1/generate`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "image/png" },
    body: JSON.stringify({ prompt: "a rocket above a tree", seed: 6 }),
  });
  strictEqual(answer.status, 200);
  return await answer.bytes();
}

async function end(
  server: Spawned,
  signal: Deno.Signal = "SIGTERM",
): Promise<number> {
  server.process.kill(signal);
  const { code } = await server.process.status;
  await server.drained;
  return code;
}

/** Returns the requested parts of large files, in order of their bytes. */
function partsOf(seen: readonly SeenRequest[]): (string | null)[] {
  return seen.filter(({ cdn }) => cdn).map(({ range }) => range).sort();
}

/**
 * Returns the number of parts of a cached file that are recorded as complete.
 */
async function notedParts(cache: string): Promise<number> {
  const blobs = join(cache, "hub/models--org--tiny/blobs");
  for await (const { name } of Deno.readDir(blobs)) {
    if (!name.endsWith(".journal")) continue;
    const text = await Deno.readTextFile(join(blobs, name));
    return text.split("\n").filter((line) =>
      line.startsWith('{"part"') && !line.includes('"bytes"')
    ).length;
  }
  return 0;
}

Deno.test("A server from an empty cache is live during downloads, resumes after a kill, fetches nothing twice, and restarts without a network", async () => {
  using cache = temporaryFolder();
  let held = true;
  const hub = hubServer({
    versions: [await folderModel(MINI)],
    faults: (_, { cdn, range }) =>
      held && cdn && range === SECOND
        ? { type: "stall", after: 0.5 }
        : undefined,
  });
  const store = openS3Server();
  await putModel(store, "vision/", MINI_VISION);
  const env = {
    ...variables(cache.path, hub, store),
    VISION_MODEL: "s3://models/vision",
  };

  const killed = spawnServer(env);
  const half = await found(async () => {
    const listed = await models(killed);
    const vision = listed.find(({ id }) => id.includes("vision"));
    const noted = await notedParts(cache.path);
    return vision?.state === "ready" && noted === 2 ? listed : undefined;
  });
  strictEqual(await statusOf(killed, "/livez"), 200);
  strictEqual(await statusOf(killed, "/ping"), 204);
  strictEqual(await statusOf(killed, "/readyz"), 503);
  const language = half.find(({ id }) => !id.includes("vision"))!;
  strictEqual(language.state, "loading");
  const { transfer } = language.phases.find(({ name }) => name === "download")!;
  ok(transfer!.bytes > 2 ** 23 && transfer!.bytes < transfer!.total_bytes);
  await end(killed, "SIGKILL");

  held = false;
  const before = hub.seen.length;
  const asked = store.log.length;
  const both = [spawnServer(env), spawnServer(env)];
  await Promise.all(both.map(ready));
  const [rest, ...more] = partsOf(hub.seen.slice(before));
  deepStrictEqual(more, []);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(rest ?? "")!;
  ok(Number(from) >= 2 ** 23, "of the second part, what had not come");
  strictEqual(Number(to), 2 ** 24 - 1);
  const others = hub.seen.slice(before).filter(({ path }) =>
    path.includes("/resolve/") && !path.endsWith("/model.safetensors")
  );
  deepStrictEqual(others, [], "small files are here");
  deepStrictEqual(store.log.slice(asked), [], "so is the tokenizer");
  const drawn = await picture(both[0]!);
  for (const server of both) strictEqual(await end(server), 0);

  await hub[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  const alone = spawnServer(env);
  await ready(alone);
  deepStrictEqual(await picture(alone), drawn, "without hub and store");
  strictEqual(await end(alone), 0);

  const folder = join(cache.path, "tiny");
  await Deno.symlink(MINI, folder);
  const local = spawnServer({
    ...env,
    MODEL: folder,
    VISION_MODEL: MINI_VISION,
  });
  await ready(local);
  deepStrictEqual(await picture(local), drawn, "as from a folder");
  strictEqual(await end(local), 0);
});

Deno.test("Servers that start together on an empty cache fetch each byte once", async () => {
  using cache = temporaryFolder();
  const model = await folderModel(tinyFolder("emu3-tiny-hf"));
  await using hub = hubServer({ versions: [model] });
  const both = [0, 1].map(() => spawnServer(variables(cache.path, hub)));
  await Promise.all(both.map(ready));
  const paths = hub.seen.map(({ path }) => path)
    .filter((path) => path.includes("/resolve/"));
  // Before the lock, each reads the configuration to look for a tokenizer.
  const fetched = paths.filter((path) => !path.endsWith("/config.json"));
  deepStrictEqual(fetched.toSorted(), [...new Set(fetched)].toSorted());
  ok(fetched.some((path) => path.endsWith("/model.safetensors")));
  for (const server of both) strictEqual(await end(server), 0);
});

Deno.test("SIGTERM during a download ends the server with 0", async () => {
  using cache = temporaryFolder();
  const stalled = Promise.withResolvers<void>();
  await using hub = hubServer({
    versions: [await folderModel(MINI)],
    faults: (_, { cdn }) => {
      if (!cdn) return undefined;
      stalled.resolve();
      return { type: "stall", after: 0.5 };
    },
  });
  const env = { ...variables(cache.path, hub), VISION_MODEL: MINI_VISION };
  const server = spawnServer(env);
  await stalled.promise;
  strictEqual(await end(server), 0);
});

Deno.test("A refused token ends the server with 1, and the message names it", async () => {
  using cache = temporaryFolder();
  const model = await folderModel(tinyFolder("emu3-tiny-hf"));
  await using hub = hubServer({ versions: [model], token: "hf_right" });
  let said = "";
  const server = spawnServer(
    { ...variables(cache.path, hub), HF_TOKEN: "hf_wrong" },
    (text) => said += text,
  );
  strictEqual(await server.readyLine, undefined);
  strictEqual((await server.process.status).code, 1);
  match(said, /Cannot find model "org\/tiny".*HF_TOKEN has no access \(401\)/);
  ok(!said.includes("hf_wrong"));
});

Deno.test("A mirror provides a model that the hub lacks, and the server starts", async () => {
  using cache = temporaryFolder();
  const folder = tinyFolder("emu3-tiny-hf");
  await using hub = hubServer({
    versions: [await folderModel(folder)],
    faults: (_, { cdn }) => cdn ? { type: "status", status: 404 } : undefined,
  });
  await using store = openS3Server();
  await putModel(store, "mirror/", folder);
  const server = spawnServer({
    ...variables(cache.path, hub, store),
    MODEL: `${REPOSITORY}, s3://models/mirror`,
  });
  await ready(server);
  const weights = store.log.filter((line) =>
    line.endsWith("/mirror/model.safetensors")
  );
  strictEqual(weights.length, 1);
  strictEqual(await end(server), 0);
});
