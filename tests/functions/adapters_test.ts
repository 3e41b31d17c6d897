/**
 * The adapters of a server, on every surface: by a field or behind the model's
 * name.
 */

import {
  deepStrictEqual,
  match,
  notDeepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { refuseUnfittingAdapters } from "../../functions/models/memory_check.ts";
import {
  adapterSources,
  planAdapters,
} from "../../functions/models/planned_adapters.ts";
import { Checkpoints } from "../../functions/models/checkpoints.ts";
import { planLineup } from "../../functions/models/model_plan.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { obtain } from "../../deploy/cache/obtain.ts";
import { writeAdapter } from "../support/adapters.ts";
import { filesOf } from "../support/folder_model.ts";
import { hubServer, REPOSITORY } from "../support/hub_server.ts";
import { obtainOptions } from "../support/obtain_options.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { goldenPath } from "../support/golden.ts";
import { json, openTinyServer } from "../support/tiny_server.ts";
import { text } from "../support/kserve.ts";
import { tinyFolder } from "../support/tiny.ts";

const ADAPTERS = new Map([
  ["mine", goldenPath("adapters/plain")],
  ["headed", goldenPath("adapters/headed")],
]);
const server = await openTinyServer({
  adapters: ADAPTERS,
  aliases: new Map([["gpt-image-1", "emu3-tiny:mine"]]),
});
globalThis.addEventListener("unload", () => void server[Symbol.asyncDispose]());

/** Sends a request; returns its status and the JSON of its answer. */
async function ask(path: string, init?: RequestInit) {
  const answer = await server.app.request(path, init);
  return { status: answer.status, body: await answer.json() };
}

const FOX = { prompt: "a fox", height: 16, width: 16, seed: 5 };
const GRID = { codes: [[1, 2], [3, 4]] };
const MODEL = "emu3-tiny:mine";

/** Returns the codes that a body draws. */
async function codesOf(body: unknown): Promise<unknown> {
  const answer = await ask("/v1/generate", json(body));
  strictEqual(answer.status, 200);
  return answer.body.images[0].grid;
}

Deno.test("GET /v1/models lists adapters, and finds a model by its name with one", async () => {
  const { body: list } = await ask("/v1/models");
  deepStrictEqual(list.data[0].adapters, ["mine", "headed"]);
  deepStrictEqual(list.data[1].adapters, []);
  strictEqual((await ask(`/v1/models/${MODEL}`)).body.id, "emu3-tiny");
  strictEqual((await ask("/v1/models/emu3-tiny:none")).status, 404);
});

Deno.test("POST /v1/generate draws with the adapter of a field, a name or an alias", async () => {
  const base = await codesOf(FOX);
  const mine = await codesOf({ ...FOX, adapter: "mine" });
  const headed = await codesOf({ ...FOX, adapter: "headed" });
  notDeepStrictEqual(mine, base);
  notDeepStrictEqual(headed, base);
  notDeepStrictEqual(headed, mine);
  for (const model of [MODEL, "gpt-image-1"]) {
    deepStrictEqual(await codesOf({ ...FOX, model }), mine);
  }
  const both = { ...FOX, model: MODEL, adapter: "mine" };
  deepStrictEqual(await codesOf(both), mine);
  const { body } = await ask("/v1/generate", json(both));
  strictEqual(body.model, MODEL);
});

Deno.test("POST /v1/score and /v1/caption use the adapter", async () => {
  const scores: number[] = [];
  for (const adapter of [undefined, "mine", "headed"]) {
    const picture = { grid: GRID, prompt: "a fox", adapter };
    const scored = await ask("/v1/score", json(picture));
    scores.push(scored.body.logprob);
    const answer = { grid: GRID, text: "a fox", adapter };
    scores.push((await ask("/v1/score", json(answer))).body.logprob);
  }
  strictEqual(new Set(scores).size, 6);
  const question = { grid: GRID, "max_tokens": 4, adapter: "mine" };
  const captioned = await ask("/v1/caption", json(question));
  strictEqual(captioned.body.model, MODEL);
});

Deno.test("clients of other APIs choose an adapter by the model's name", async () => {
  const drawing = { prompt: "a fox", seed: 5 };
  const image = async (model: string) => {
    const { body } = await ask(
      "/v1/images/generations",
      json({ ...drawing, model }),
    );
    strictEqual(body.model, model);
    return body.data[0].b64_json;
  };
  notDeepStrictEqual(await image(MODEL), await image("emu3-tiny"));
  const chat = await ask(
    "/v1/chat/completions",
    json({
      model: MODEL,
      "max_tokens": 2,
      messages: [{ role: "user", content: "hello" }],
    }),
  );
  strictEqual(chat.status, 200);
  strictEqual(chat.body.model, MODEL);
  const inferred = await ask(
    "/v2/models/generate/infer",
    json({
      inputs: [text("prompt", "a fox")],
      parameters: { height: 16, width: 16, seed: 5, model: MODEL },
      outputs: [{ name: "codes" }],
    }),
  );
  strictEqual(inferred.status, 200);
  strictEqual(inferred.body.parameters.model, MODEL);
});

Deno.test("MCP tools take an adapter", async () => {
  const call = async (args: object) => {
    const answer = await server.app.request("/mcp", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "generate_image", arguments: { ...FOX, ...args } },
      }),
    });
    const [data = ""] = (await answer.text()).split("\n")
      .filter((line) => line.includes('"result"'));
    return JSON.parse(data.replace(/^data: /, "")).result;
  };
  const mine = await call({ adapter: "mine" });
  strictEqual(mine.structuredContent.model, MODEL);
  deepStrictEqual((await call({ model: MODEL })).content[0], mine.content[0]);
  const other = await call({ adapter: "other" });
  strictEqual(other.isError, true);
  match(JSON.stringify(other.content), /loaded adapters are/);
});

Deno.test("predictions choose an adapter by input, path or version", async () => {
  const asked = [
    ["/predictions", { input: { ...FOX, adapter: "mine" } }],
    [`/models/anybody/${MODEL}/predictions`, { input: FOX }],
    ["/v1/predictions", { version: `anybody/${MODEL}`, input: FOX }],
    ["/predictions", { input: FOX }],
  ] as const;
  const outputs: unknown[] = [];
  for (const [path, body] of asked) {
    const answer = await ask(path, json(body, { prefer: "wait" }));
    strictEqual(answer.body.status, "succeeded", path);
    outputs.push(answer.body.output);
  }
  deepStrictEqual(outputs[1], outputs[0]);
  deepStrictEqual(outputs[2], outputs[0]);
  notDeepStrictEqual(outputs[3], outputs[0]);
  strictEqual((await ask(`/models/anybody/${MODEL}`)).status, 200);
});

Deno.test("idempotency() rejects a key with another adapter", async () => {
  const headers = { "idempotency-key": "one" };
  const first = json({ ...FOX, adapter: "mine" }, headers);
  strictEqual((await ask("/v1/generate", first)).status, 200);
  const other = json({ ...FOX, adapter: "headed" }, headers);
  strictEqual((await ask("/v1/generate", other)).status, 422);
});

Deno.test("App answers 404 with all names for an unknown adapter, and 422 for a contradiction", async () => {
  const bodies: readonly (readonly [string, unknown])[] = [
    ["/v1/generate", { ...FOX, adapter: "other" }],
    ["/v1/generate", { ...FOX, model: "emu3-tiny:other" }],
    ["/v1/caption", { grid: GRID, adapter: "other" }],
    ["/v1/score", { grid: GRID, prompt: "a fox", adapter: "other" }],
    ["/v1/tokenize", { prompt: { prompt: "a fox", adapter: "other" } }],
    ["/v1/images/generations", { prompt: "a", model: "emu3-tiny:other" }],
  ];
  for (const [path, body] of bodies) {
    const answer = await ask(path, json(body));
    strictEqual(answer.status, 404, path);
    strictEqual(
      answer.body.detail,
      'Cannot find adapter "other": loaded adapters are "mine", "headed"',
    );
  }
  const contrary = { ...FOX, model: MODEL, adapter: "headed" };
  const answer = await ask("/v1/generate", json(contrary));
  strictEqual(answer.status, 422);
  match(answer.body.detail, /\/adapter: it contradicts the adapter "mine"/);
  const model = { ...FOX, model: "other:mine" };
  const missing = await ask("/v1/generate", json(model));
  match(missing.body.detail, /Cannot find model "other:mine"/);
});

Deno.test("tokens of a prompt are the same with every adapter", async () => {
  const tokens = async (fields: object) => {
    const prompt = { prompt: "a fox", ...fields };
    return (await ask("/v1/tokenize", json({ prompt }))).body.tokens;
  };
  deepStrictEqual(await tokens({ adapter: "mine" }), await tokens({}));
  deepStrictEqual(await tokens({ model: MODEL }), await tokens({}));
});

Deno.test("adapterSources() parses names and folders", () => {
  deepStrictEqual([...adapterSources(" mine = a/mine , b=/c d,")], [
    ["mine", "a/mine"],
    ["b", "/c d"],
  ]);
  strictEqual(adapterSources(undefined).size, 0);
  for (const text of ["a", "=b", "a=", "a=b,a=c", "a:b=c", "a b=c"]) {
    throws(() => adapterSources(text), SyntaxError);
  }
});

Deno.test("planAdapters() assigns an adapter to the model of its base, else to all", async () => {
  const language = tinyFolder("emu3-tiny");
  const { config } = await openLanguageCheckpoint(language);
  const written = [
    ["named", "/somewhere/emu3-tiny"],
    ["foreign", "org/Unknown"],
  ].map(([name, base]) => {
    const settings = { "base_model_name_or_path": base };
    return [name!, writeAdapter(config, { seed: 1, settings })] as const;
  });
  using _ = {
    [Symbol.dispose]: () => written.forEach(([, f]) => f[Symbol.dispose]()),
  };
  const second = tinyFolder("emu3-tiny-hf");
  const plan = await planLineup(
    [
      { folder: language, draws: true, answers: false },
      { folder: second, draws: false, answers: true },
    ],
    tinyFolder("emu3-tiny-visiontokenizer"),
    new Set(["generate", "caption"]),
    new Checkpoints(),
  );
  const paths = new Map(written.map(([name, { path }]) => [name, path]));
  const { models } = await planAdapters(plan, paths);
  deepStrictEqual(
    models.map(({ adapters = [] }) => adapters.map(({ name }) => name)),
    [["named", "foreign"], ["foreign"]],
  );
});

Deno.test("main rejects an adapter of another base, and names the tensor", async () => {
  const { config } = await openLanguageCheckpoint(tinyFolder("emu3-tiny"));
  using folder = writeAdapter({ ...config, hiddenSize: 32 }, { seed: 1 });
  await rejects(
    openTinyServer({ adapters: new Map([["a", folder.path]]) }),
    /q_proj.lora_A.weight": it has shape/,
  );
  await rejects(
    openTinyServer({ adapters: new Map([["a", "/nowhere"]]) }),
    /adapter_config.json: the file does not exist/,
  );
  // A folder is never taken for a repository of its name.
  await rejects(
    openTinyServer({
      adapters: new Map([["a", goldenPath("checkpoints")]]),
      obtain: (source) =>
        source.endsWith("emu3-tiny")
          ? Promise.resolve(source)
          : Promise.reject(new Error(`obtained ${source}`)),
    }),
    /checkpoints\/adapter_config.json: the file does not exist/,
  );
});

Deno.test("refuseUnfittingAdapters() names both figures and the remedies", () => {
  refuseUnfittingAdapters("m", 0, -1);
  refuseUnfittingAdapters("m", 1e9, 1e9);
  throws(
    () => refuseUnfittingAdapters("m", 3e9, 1e9),
    /its adapters need 3.0 GB of memory and the model leaves 1.0 GB; name fewer in ADAPTERS/,
  );
});

Deno.test("Services downloads the adapter of a repository, and needs no hub after that", async () => {
  using cache = temporaryFolder();
  const files = await filesOf(goldenPath("adapters/plain"));
  const adapters = new Map([["mine", `${REPOSITORY}@main`]]);
  const drawn = async (endpoint: string) => {
    const options = obtainOptions(cache.path, endpoint);
    const phases: string[] = [];
    await using served = await openTinyServer({
      adapters,
      obtain: (source, onProgress, signal) =>
        obtain(source, { ...options, onProgress, signal }),
      onPhase: (model, { name }) => void phases.push(`${model}: ${name}`),
    });
    const body = json({ ...FOX, adapter: "mine" });
    const answer = await served.app.request("/v1/generate", body);
    strictEqual(answer.status, 200);
    return { phases, codes: (await answer.json()).images[0].grid };
  };
  const expected = await codesOf({ ...FOX, adapter: "mine" });
  {
    const version = { commit: "e".repeat(40), files };
    await using hub = hubServer({ versions: [version] });
    const { phases, codes } = await drawn(hub.endpoint);
    deepStrictEqual(codes, expected);
    ok(phases.includes("adapter mine: download"), phases.join());
  }
  const { codes } = await drawn("http://127.0.0.1:1");
  deepStrictEqual(codes, expected);
});

Deno.test("Services names the places of an adapter that cannot be found", async () => {
  using cache = temporaryFolder();
  const options = obtainOptions(cache.path, "http://127.0.0.1:1", {
    HF_HUB_OFFLINE: "1",
  });
  await rejects(
    openTinyServer({
      adapters: new Map([["mine", "org/none"]]),
      obtain: (source, onProgress, signal) =>
        obtain(source, { ...options, onProgress, signal }),
    }),
    /SourceError: .*"org\/none": looked in .*models--org--none.*HF_HUB_OFFLINE/,
  );
});
