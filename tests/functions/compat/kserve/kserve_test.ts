import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Hono } from "hono";
import { createApp } from "../../../../functions/app.ts";
import type { AppEnv } from "../../../../functions/http/context.ts";
import { LazyResource } from "../../../../functions/models/lazy_resource.ts";
import { goldenPath } from "../../../support/golden.ts";
import { codes, element, text } from "../../../support/kserve.ts";
import {
  appOptions,
  bytes,
  json,
  openTinyServer,
} from "../../../support/tiny_server.ts";
import { until } from "../../../support/until.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { engine } = server.services.imageGenerator(undefined).language;

const picture = await Deno.readFile(goldenPath("chat/c0.png"));
const small = { height: 32, width: 32, seed: 1 };
const fox = text("prompt", "a fox");

function get(path: string, app: Hono<AppEnv> = server.app): Promise<Response> {
  return Promise.resolve(app.request(path));
}

function post(
  model: string,
  init: RequestInit,
  app: Hono<AppEnv> = server.app,
): Promise<Response> {
  return Promise.resolve(app.request(`/v2/models/${model}/infer`, init));
}

// deno-lint-ignore no-explicit-any -- JSON
async function infer(model: string, body: unknown): Promise<any> {
  const answer = await post(model, json(body));
  strictEqual(answer.headers.get("content-type"), "application/json");
  return await answer.json();
}

// deno-lint-ignore no-explicit-any -- JSON
async function native(path: string, body: unknown): Promise<any> {
  const init = json(body, { accept: "application/json" });
  return await (await server.app.request(path, init)).json();
}

Deno.test("GET /v2 describes the server and its binary tensor extension", async () => {
  const { name, extensions } = await (await get("/v2")).json();
  deepStrictEqual([name, extensions], ["emu3", ["binary_tensor_data"]]);
});

Deno.test("GET /v2/health reports liveness and readiness", async () => {
  const live = await get("/v2/health/live");
  deepStrictEqual([live.status, await live.json()], [200, { live: true }]);
  const ready = await get("/v2/health/ready");
  deepStrictEqual([ready.status, await ready.json()], [200, { ready: true }]);
});

Deno.test("GET /v2/health/ready and every model are not ready while models load", async () => {
  const held = new LazyResource<never>("slow", () => new Promise(() => {}));
  void held.load();
  const { codec, pixels, limits } = server.services;
  const [listing] = server.services.models();
  const loading = {
    codec,
    pixels,
    limits,
    imageGenerator: () => held.get(),
    captioner: () => held.get(),
    vision: () => held.get(),
    text: () => held.load(),
    models: () => [{ ...listing!, state: held.state }],
  };
  const app = createApp(loading, appOptions().options);
  strictEqual((await get("/v2/health/live", app)).status, 200);
  const all = await get("/v2/health/ready", app);
  deepStrictEqual([all.status, await all.json()], [503, { ready: false }]);
  for (const name of ["generate", "caption", "tokenize", "detokenize"]) {
    const one = await get(`/v2/models/${name}/ready`, app);
    strictEqual(one.status, 503);
    match((await one.json()).error, /it is still loading/);
  }
  strictEqual((await get("/v2/models/generate/ready")).status, 200);
});

Deno.test("GET /v2/models/{m} describes its tensors, with and without a version", async () => {
  const plain = await (await get("/v2/models/tokenize")).json();
  deepStrictEqual(plain, {
    name: "tokenize",
    versions: ["1"],
    platform: "emu3",
    inputs: [
      { name: "image", datatype: "BYTES", shape: [1], optional: true },
      { name: "text", datatype: "BYTES", shape: [1], optional: true },
    ],
    outputs: [
      { name: "codes", datatype: "UINT16", shape: [-1, -1] },
      { name: "tokens", datatype: "INT32", shape: [-1] },
    ],
  });
  const versioned = await get("/v2/models/tokenize/versions/1");
  deepStrictEqual(await versioned.json(), plain);
  const ready = await get("/v2/models/tokenize/versions/1/ready");
  deepStrictEqual(await ready.json(), { name: "tokenize", ready: true });
});

Deno.test("GET /v2/models names a missing model, version or path", async () => {
  for (const path of ["/v2/models/paint", "/v2/models/generate/versions/2"]) {
    const answer = await get(path);
    strictEqual(answer.status, 404);
    match(
      (await answer.json()).error,
      /Cannot find model "(paint|generate.*2)"/,
    );
  }
  const answer = await get("/v2/nothing");
  strictEqual(answer.status, 404);
  match((await answer.json()).error, /No route matches/);
});

Deno.test("GET /v2/models omits the model of a disabled function", async () => {
  const { options } = appOptions({ functions: new Set(["tokenize"]) });
  const app = createApp(server.services, options);
  strictEqual((await get("/v2/models/tokenize", app)).status, 200);
  const answer = await post("generate", json({ inputs: [fox] }), app);
  strictEqual(answer.status, 404);
  match((await answer.json()).error, /models of this function are "tokenize"/);
});

Deno.test("POST infer of generate equals the native endpoint, with its options", async () => {
  const answer = await infer("generate", {
    id: "mine",
    inputs: [fox],
    parameters: { ...small, "sequence_id": 3, "no such option": 1 },
  });
  const { images, strategy, lossless, model } = await native("/v1/generate", {
    prompt: "a fox",
    ...small,
  });
  const { grid, b64_json } = images[0];
  deepStrictEqual(answer, {
    id: "mine",
    "model_name": "generate",
    "model_version": "1",
    parameters: { model, seed: 1, strategy, lossless },
    outputs: [
      { name: "image", datatype: "BYTES", shape: [1], data: [b64_json] },
      {
        name: "codes",
        datatype: "UINT16",
        shape: [grid.height, grid.width],
        data: grid.codes.flat(),
      },
    ],
  });
});

Deno.test("POST infer of generate returns codes of several pictures, and pixels only on request", async () => {
  const { outputs } = await infer("generate", {
    inputs: [fox],
    outputs: [{ name: "codes" }],
    parameters: { ...small, n: 2 },
  });
  const { images } = await native("/v1/generate", {
    prompt: "a fox",
    ...small,
    n: 2,
  });
  const [{ grid }] = images;
  deepStrictEqual(outputs, [{
    name: "codes",
    datatype: "UINT16",
    shape: [2, grid.height, grid.width],
    data: images.flatMap((image: { grid: { codes: number[][] } }) =>
      image.grid.codes.flat()
    ),
  }]);
});

Deno.test("POST infer of caption returns the same answer for a file and its codes", async () => {
  const { grid } = await native("/v1/tokenize", {
    image: picture.toBase64(),
  });
  const question = text("question", "What is it?");
  const parameters = { "max_tokens": 8 };
  const { text: expected } = await native("/v1/caption", {
    grid,
    question: "What is it?",
    "max_tokens": 8,
  });
  const pictures = [
    text("image", picture.toBase64()),
    text("image", `data:image/png;base64,${picture.toBase64()}`),
    codes([grid.height, grid.width], grid.codes),
  ];
  for (const input of pictures) {
    const inputs = [question, input];
    const answer = await infer("caption", { inputs, parameters });
    deepStrictEqual(answer.outputs, [
      { name: "text", datatype: "BYTES", shape: [1], data: [expected] },
    ]);
  }
});

Deno.test("POST infer of tokenize encodes pictures to codes and text to tokens", async () => {
  const { grid } = await native("/v1/tokenize", { image: picture.toBase64() });
  const coded = await infer("tokenize", {
    inputs: [text("image", picture.toBase64())],
  });
  deepStrictEqual(coded.outputs, [
    codes([grid.height, grid.width], grid.codes.flat()),
  ]);
  const { tokens } = await native("/v1/tokenize", { text: "a red fox" });
  const spelled = await infer("tokenize", {
    inputs: [text("text", "a red fox")],
  });
  deepStrictEqual(spelled.outputs, [{
    name: "tokens",
    datatype: "INT32",
    shape: [tokens.length],
    data: tokens,
  }]);
});

Deno.test("POST infer of detokenize decodes codes to pixels, and a clip's codes to frames", async () => {
  const grid = { codes: [[1, 2, 3], [4, 5, 6]] };
  const { b64_json } = await native("/v1/detokenize", { grid });
  for (const data of [grid.codes, grid.codes.flat()]) {
    const { outputs } = await infer("detokenize", {
      inputs: [codes([2, 3], data)],
    });
    deepStrictEqual(outputs[0].data, [b64_json]);
  }
  const clip = { codes: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]] };
  const { frames } = await native("/v1/detokenize", { clip });
  const { outputs } = await infer("detokenize", {
    inputs: [codes([2, 2, 2], clip.codes)],
  });
  deepStrictEqual(
    outputs[0].data,
    frames.map((frame: { b64_json: string }) => frame.b64_json),
  );
});

Deno.test("POST infer reads and writes raw tensors after the JSON", async () => {
  const question = element(new TextEncoder().encode("What is it?"));
  const file = element(picture);
  const header = new TextEncoder().encode(JSON.stringify({
    inputs: [
      {
        ...text("question", ""),
        data: undefined,
        parameters: { "binary_data_size": question.length },
      },
      {
        ...text("image", ""),
        data: undefined,
        parameters: { "binary_data_size": file.length },
      },
    ],
    parameters: { "binary_data_output": true, "max_tokens": 8 },
  }));
  const body = await new Blob(
    [header, question, file].map((part) => new Uint8Array(part)),
  ).bytes();
  const length = { "inference-header-content-length": `${header.length}` };
  const type = "application/octet-stream";
  const answer = await post("caption", bytes(body, type, length));
  strictEqual(answer.headers.get("content-type"), type);
  const end = Number(answer.headers.get("inference-header-content-length"));
  const whole = await answer.bytes();
  const { outputs } = JSON.parse(
    new TextDecoder().decode(whole.subarray(0, end)),
  );
  const { text: expected } = await native("/v1/caption", {
    image: picture.toBase64(),
    question: "What is it?",
    "max_tokens": 8,
  });
  const raw = element(new TextEncoder().encode(expected));
  deepStrictEqual(outputs, [{
    name: "text",
    datatype: "BYTES",
    shape: [1],
    parameters: { "binary_data_size": raw.length },
  }]);
  deepStrictEqual([...whole.subarray(end)], [...raw]);
});

Deno.test("POST infer cancels the run when its client leaves", async () => {
  const leave = new AbortController();
  const parameters = { height: 512, width: 512, seed: 1 };
  const init = json({ inputs: [fox], parameters });
  const answer = post("generate", { ...init, signal: leave.signal });
  await until(() => engine.state.running > 0);
  leave.abort();
  await (await answer).body?.cancel();
  strictEqual(engine.state.running, 0);
  strictEqual(server.trace.access.at(-1)!.status, 499);
});
