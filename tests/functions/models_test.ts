/** The listing of models and their engines in `GET /v1/models`. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { changedFolder } from "../support/changed_folder.ts";
import { goldenPath } from "../support/golden.ts";
import { settledModel } from "../support/settled_model.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import {
  json,
  openTinyServer,
  TINY_FOLDERS,
  type TinyServer,
} from "../support/tiny_server.ts";
import { until } from "../support/until.ts";

/** Bytes of one token's keys and values in the tiny checkpoint, in fp32. */
const TOKEN_BYTES = 2 * 2 * 2 * 16 * 4;

const NOTHING_SHARED = { hits: 0, misses: 0, "tokens_saved": 0, evictions: 0 };

async function engineOf({ app }: TinyServer, name = "emu3-tiny") {
  const { engine } = await (await app.request(`/v1/models/${name}`)).json();
  return engine;
}

async function draw({ app }: TinyServer): Promise<number> {
  const body = { prompt: "a cat", height: 64, width: 64, seed: 1 };
  const answer = await app.request("/v1/generate", json(body));
  await answer.body?.cancel();
  return answer.status;
}

/** Returns the engine's state during and after two requests. */
async function engineOfTwo(server: TinyServer) {
  const { engine } = server.services.imageGenerator(undefined).language;
  await until(() => engine.state.running + engine.state.waiting === 2);
  return await engineOf(server);
}

Deno.test("GET /v1/models lists the engine's limits and load", async () => {
  await using server = await openTinyServer({
    functions: new Set(["caption"]),
  });
  const { cache, prefixes, ...engine } = await engineOf(server);
  deepStrictEqual(engine, {
    slots: 4,
    "slots_in_use": 0,
    waiting: 0,
    running: 0,
  });
  const { tokens_held: held, ...size } = cache;
  deepStrictEqual(size, {
    tokens: 2 ** 26 / TOKEN_BYTES,
    dtype: "float32",
    bytes: 2 ** 26,
  });
  ok(Number.isInteger(held) && held >= 0 && held < cache.tokens);
  deepStrictEqual(Object.keys(prefixes), Object.keys(NOTHING_SHARED));
});

Deno.test("GET /v1/models counts running, waiting and shared prompts", async () => {
  await using server = await openTinyServer({
    functions: new Set(["generate"]),
    slots: 2,
  });
  const before = await engineOf(server);
  const drawn = Promise.all([draw(server), draw(server)]);
  const during = await engineOfTwo(server);
  deepStrictEqual(
    [during.slots_in_use, during.running, during.waiting],
    [2, 1, 1],
  );
  deepStrictEqual(await drawn, [200, 200]);
  const { cache, prefixes, ...engine } = await engineOf(server);
  deepStrictEqual(engine, {
    slots: 2,
    "slots_in_use": 0,
    waiting: 0,
    running: 0,
  });
  // The second shared both of its prompts; the first ran every token.
  strictEqual(prefixes.hits - before.prefixes.hits, 2);
  ok(prefixes.tokens_saved > before.prefixes.tokens_saved);
  ok(cache.tokens_held > 0);
});

Deno.test("GET /v1/models lists fp16 on request or if memory is scarce", async () => {
  // A guided picture of 9216 tokens takes 9.4 MB in fp32.
  const settings = [
    { cacheBytes: 2 ** 25, cacheDtype: undefined, bytes: TOKEN_BYTES },
    { cacheBytes: 2 ** 24, cacheDtype: undefined, bytes: TOKEN_BYTES / 2 },
    { cacheBytes: 2 ** 25, cacheDtype: "float16", bytes: TOKEN_BYTES / 2 },
    { cacheBytes: 2 ** 24, cacheDtype: "float32", bytes: TOKEN_BYTES },
  ] as const;
  for (const { bytes, ...options } of settings) {
    await using server = await openTinyServer({
      functions: new Set(["generate"]),
      ...options,
    });
    const { cache } = await engineOf(server);
    strictEqual(cache.bytes / cache.tokens, bytes);
    strictEqual(cache.dtype, bytes < TOKEN_BYTES ? "float16" : "float32");
  }
});

Deno.test("GET /v1/models lists int8 on request, and the server draws with it", async () => {
  await using server = await openTinyServer({
    functions: new Set(["generate"]),
    cacheDtype: "int8",
  });
  const response = await server.app.request("/v1/generate", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "a cat", seed: 1 }),
  });
  strictEqual(response.status, 200, await response.text());
  const { cache } = await engineOf(server);
  strictEqual(cache.bytes / cache.tokens, TOKEN_BYTES / 4);
  strictEqual(cache.dtype, "int8");
});

Deno.test("GET /v1/models lists no engine if none runs", async () => {
  await using server = await openTinyServer({
    functions: new Set(["tokenize"]),
  });
  strictEqual(await engineOf(server), undefined);
  strictEqual(
    await engineOf(server, "emu3-tiny-visiontokenizer"),
    undefined,
  );
});

Deno.test("GET /v1/models lists all details of a model, open or not", async () => {
  await using server = await openTinyServer({
    functions: new Set(["generate"]),
  });
  const { data } = await (await server.app.request("/v1/models")).json();
  const [{ phases, defaults, engine, ...language }, vision] = data;
  deepStrictEqual(language, {
    id: "emu3-tiny",
    object: "model",
    created: 0,
    "owned_by": "local",
    aliases: [],
    revision: null,
    capabilities: ["generate", "score"],
    precision: "fp32",
    device: "cpu",
    state: "ready",
    "image_area": 4096,
    "context_length": 9216,
    examples: [],
    "max_images": 1,
    subjects: [],
    "known_words": [],
    limits: {
      "max_body_bytes": 2 ** 20,
      "max_pixels": 2 ** 20,
      "max_frames": 256,
    },
    adapters: [],
  });
  ok(engine.slots > 0 && defaults.guidance_scale >= 1);
  for (const { name, seconds } of phases) {
    ok(name.length > 0 && seconds >= 0);
  }
  deepStrictEqual(
    [vision.revision, vision.image_area, vision.examples, vision.adapters],
    [null, null, [], []],
  );
});

Deno.test("GET /v1/models lists text_only for a model that answers and accepts text alone", async () => {
  const capabilities = async (
    name: "caption" | "generate",
    textOnly = true,
  ) => {
    using folder = temporaryFolder();
    const chat = settledModel(folder, { "text_only": textOnly });
    await using server = await openTinyServer({
      functions: new Set([name]),
      folders: { ...TINY_FOLDERS, gen: chat, chat },
    });
    const { data } = await (await server.app.request("/v1/models")).json();
    return data[0].capabilities;
  };
  deepStrictEqual(await capabilities("caption"), [
    "caption",
    "score",
    "text_only",
  ]);
  deepStrictEqual(await capabilities("caption", false), ["caption", "score"]);
  deepStrictEqual(await capabilities("generate"), ["generate", "score"]);
});

Deno.test("GET /v1/models lists the preprocessing of pictures, and its files", async () => {
  const preprocessing = {
    "min_pixels": 1024,
    "max_pixels": 9216,
    "spatial_factor": 8,
    resample: "bicubic",
    "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
  };
  const source = goldenPath("checkpoints/emu3-tiny-hf");
  const saved = JSON.stringify({
    image_processor: { min_pixels: 64, max_pixels: 128, image_mean: 0.25 },
  });
  using parent = changedFolder(source, {
    "processor_config.json": saved,
    "preprocessor_config.json": undefined,
  }, "saved");
  const folder = `${parent.path}/saved`;
  await using server = await openTinyServer({
    functions: new Set(["tokenize"]),
  });
  await using newer = await openTinyServer({
    functions: new Set(["tokenize"]),
    folders: { gen: folder, chat: folder, vision: undefined },
  });
  const read = async ({ app }: TinyServer, name: string) =>
    (await (await app.request(`/v1/models/${name}`)).json()).preprocessing;
  deepStrictEqual(await read(server, "emu3-tiny-visiontokenizer"), {
    ...preprocessing,
    files: ["preprocessor_config.json"],
  });
  deepStrictEqual(await read(newer, "saved"), {
    ...preprocessing,
    "min_pixels": 64,
    "max_pixels": 128,
    "image_mean": [0.25, 0.25, 0.25],
    files: ["processor_config.json"],
  });
  // A language model has no preprocessing.
  strictEqual(await read(server, "emu3-tiny"), undefined);
});

Deno.test("GET /v1/models lists the commit of a checkpoint in Hugging Face's cache", async () => {
  using hub = temporaryFolder();
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const snapshot = hub.link(
    `models--org--emu3-tiny/snapshots/${commit}`,
    goldenPath("checkpoints/emu3-tiny"),
  );
  await using server = await openTinyServer({
    functions: new Set(["tokenize"]),
    folders: {
      gen: snapshot,
      chat: snapshot,
      vision: goldenPath("checkpoints/emu3-tiny-visiontokenizer"),
    },
  });
  const model = await (await server.app.request("/v1/models/emu3-tiny")).json();
  deepStrictEqual([model.revision, model.state], [commit, "unloaded"]);
});
