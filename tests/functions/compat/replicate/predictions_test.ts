// deno-lint-ignore-file camelcase -- names of the wire
/**
 * The laws of predictions: Cog's format, and the meaning of inputs.
 */

import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { apiKeys } from "../../../../functions/middleware/api_keys.ts";
import { FUNCTION_NAMES } from "../../../../functions/schema/common.ts";
import {
  echoOf,
  MAX_ECHO,
} from "../../../../functions/compat/replicate/echo.ts";
import { GenerateRequest } from "../../../../functions/schema/generate.ts";
import { predictionRequest } from "../../../../functions/compat/replicate/prediction_input.ts";
import { createApp } from "../../../../functions/app.ts";
import {
  fakeServices,
  listing,
  runAtOnce,
} from "../../../support/fake_models.ts";
import {
  appOptions,
  json,
  openTinyServer,
} from "../../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const fox = { prompt: "a fox", height: 32, width: 32, seed: 3 };
const served = new Set(FUNCTION_NAMES);

function asked(input: Record<string, unknown>, named?: string) {
  const { request } = predictionRequest(input, named, served);
  const body = JSON.parse(new TextDecoder().decode(request.body));
  return { path: request.path, body };
}

Deno.test("predictionRequest() infers the function from the input", () => {
  const image = "data:image/png;base64,AA==";
  const grid = { codes: [[1]] };
  strictEqual(asked(fox).path, "/v1/generate");
  strictEqual(asked({ image }).path, "/v1/caption");
  strictEqual(asked({ grid }).path, "/v1/detokenize");
  strictEqual(asked({ grid, question: "?" }).path, "/v1/caption");
  strictEqual(asked({ image }, "tokenize").path, "/v1/tokenize");
  throws(() => asked({ seed: 1 }), /\/input: expected prompt, image or grid/);
});

Deno.test("predictionRequest() accepts Replicate's names, and ignores unknown and null fields", () => {
  const input = {
    prompt: "a fox",
    aspect_ratio: "16:9",
    num_outputs: 2,
    negative_prompt: null,
    go_fast: true,
  };
  deepStrictEqual(asked(input, "emu3-mini").body, {
    prompt: "a fox",
    ratio: "16:9",
    n: 2,
    model: "emu3-mini",
  });
  deepStrictEqual(
    asked({ grid: { codes: [[1]] }, prompt: "what?", max_new_tokens: 3 }).body,
    { grid: { codes: [[1]] }, question: "what?", max_tokens: 3 },
  );
});

Deno.test("POST /predictions returns pictures of the default type of Replicate's models", async () => {
  for (const [format, type] of [["webp", "webp"], ["jpg", "jpeg"]]) {
    const input = { ...fox, output_format: format };
    const answer = await server.app.request("/predictions", json({ input }));
    const { output: [url] } = await answer.json();
    strictEqual(url.split(";")[0], `data:image/${type}`);
  }
  const input = { ...fox, output_format: "bmp" };
  const answer = await server.app.request("/predictions", json({ input }));
  strictEqual(answer.status, 422);
});

Deno.test("POST /predictions reports input errors under the names that were sent", async () => {
  const cases: [object, string, string][] = [
    [{ prompt: 5 }, "/input/prompt", "expected string"],
    [{ ...fox, num_outputs: 20 }, "/input/num_outputs", "expected 8 or less"],
    [{ ...fox, n: 20 }, "/input/n", "expected 8 or less"],
    [
      { image: "AA==", max_new_tokens: 0 },
      "/input/max_new_tokens",
      "expected 1 or more",
    ],
    [
      { grid: { codes: [[-1]] } },
      "/input/grid/codes/0/0",
      "expected 0 or more",
    ],
  ];
  for (const [input, pointer, detail] of cases) {
    for (const path of ["/predictions", "/models/a/emu3-tiny/predictions"]) {
      const answer = await server.app.request(path, json({ input }));
      strictEqual(answer.status, 422);
      const body = await answer.json();
      deepStrictEqual(body.errors, [{ pointer, detail }]);
      match(body.detail, new RegExp(`${pointer}: ${detail}`));
      strictEqual(body.instance, path);
    }
  }
});

Deno.test("predictionRequest() refuses a disabled function", () => {
  throws(
    () => predictionRequest(fox, undefined, new Set(["caption"] as const)),
    /generate is disabled; add it to FUNCTIONS/,
  );
});

Deno.test("echoOf() omits long values and unknown fields", () => {
  const long = "x".repeat(10_000);
  const input = { ...fox, image: "AA==", num_outputs: 2, go_fast: true };
  deepStrictEqual(echoOf({ ...input, negative_prompt: long }, "generate"), {
    ...fox,
    num_outputs: 2,
  });
});

Deno.test("echoOf() is bounded for any structure of the input", () => {
  const names = Object.keys(GenerateRequest.entries);
  const anyInput = fc.dictionary(
    fc.constantFrom(...names, "other"),
    fc.oneof(
      fc.anything({ maxDepth: 12, withNullPrototype: false }),
      fc.nat(10_000).map((length) => "é".repeat(length)),
      fc.nat(1000).map((length) => Array(length).fill({ a: [1] })),
    ),
  ).map((input) => JSON.parse(JSON.stringify(input)));
  fc.assert(fc.property(anyInput, (input) => {
    const echo = echoOf(input, "generate");
    ok(JSON.stringify(echo).length <= 2 * MAX_ECHO);
    for (const [name, value] of Object.entries(echo)) {
      strictEqual(value, input[name]);
    }
  }));
  const deep = Array(100_000).fill(0).reduce((inner) => [inner], "x");
  deepStrictEqual(echoOf({ prompt: deep }, "generate"), {});
});

Deno.test("POST /predictions without a model waits for the end, as Cog does", async () => {
  const answer = await server.app.request("/predictions", json({ input: fox }));
  strictEqual(answer.status, 200);
  const { status, output, error } = await answer.json();
  strictEqual(status, "succeeded");
  strictEqual(error, null);
  strictEqual(output[0].slice(0, 22), "data:image/png;base64,");
});

Deno.test("PUT /predictions/{id} is idempotent", async () => {
  const put = () =>
    server.app.request("/predictions/mine", {
      ...json({ input: fox }, { prefer: "respond-async" }),
      method: "PUT",
    });
  const [first, second] = [await put(), await put()];
  strictEqual(first.status, 202);
  const ids = [await first.json(), await second.json()].map(({ id }) => id);
  deepStrictEqual(ids, ["mine", "mine"]);
  const { results } = await (await server.app.request("/predictions")).json();
  const mine = results.filter(({ id }: { id: string }) => id === "mine");
  strictEqual(mine.length, 1);
  const odd = await server.app.request("/predictions/a%20b", {
    ...json({ input: fox }),
    method: "PUT",
  });
  strictEqual(odd.status, 422);
});

Deno.test("PUT /predictions/{id} creates one prediction for concurrent requests, and returns it to all", async () => {
  for (let i = 0; i < 10; i++) {
    const put = () =>
      server.app.request(`/predictions/race-${i}`, {
        ...json({ input: fox }, { prefer: "respond-async" }),
        method: "PUT",
      });
    const answers = await Promise.all([put(), put(), put(), put()]);
    for (const answer of answers) {
      strictEqual(Math.floor(answer.status / 100), 2, `${answer.status}`);
      strictEqual((await answer.json()).id, `race-${i}`);
    }
    await server.jobs.runner.settled(`race-${i}`, AbortSignal.timeout(30_000));
  }
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("PUT /predictions/{id} creates no prediction for concurrent refused requests", async () => {
  const put = (input: unknown) =>
    server.app.request("/predictions/refused", {
      ...json({ input }),
      method: "PUT",
    });
  const bad = { ...fox, temperature: -1 };
  const answers = await Promise.all([bad, bad, bad, bad].map(put));
  deepStrictEqual(answers.map(({ status }) => status), [422, 422, 422, 422]);
  strictEqual((await put(fox)).status, 200);
});

Deno.test("PUT /predictions/{id} refuses another caller's id after checking the body", async () => {
  await using keyed = await openTinyServer({}, {
    apiKeys: apiKeys("one,two"),
    rateLimit: { quota: 5, windowMs: 3_600_000 },
  });
  const put = (key: string, input: unknown) =>
    keyed.app.request("/predictions/mine", {
      ...json({ input }, { authorization: `Bearer ${key}` }),
      method: "PUT",
    });
  strictEqual((await put("one", fox)).status, 200);
  strictEqual((await put("two", {})).status, 422);
  const other = await put("two", fox);
  strictEqual(other.status, 404);
  ok(!(await other.text()).includes("a fox"));
  for (let i = 0; i < 3; i++) await put("two", fox);
  // PUT counts like POST.
  strictEqual((await put("two", fox)).status, 429);
});

Deno.test("GET /health-check reports readiness in Cog's format", async () => {
  const answer = await server.app.request("/health-check");
  deepStrictEqual(await answer.json(), {
    status: "READY",
    setup: { status: "succeeded" },
  });
});

Deno.test("POST /files returns the data URL of a file", async () => {
  const form = new FormData();
  form.append("content", new Blob(["abc"], { type: "image/png" }), "a.png");
  const post = (body: BodyInit) =>
    server.app.request("/v1/files", { method: "POST", body });
  const file = await (await post(form)).json();
  strictEqual(file.urls.get, "data:image/png;base64,YWJj");
  strictEqual(file.name, "a.png");
  form.delete("content");
  form.append("content", "text");
  strictEqual((await post(form)).status, 422);
  strictEqual((await post("no form")).status, 415);
});

Deno.test("GET /predictions/{id}/stream of an unguessable id requires no key, and other routes serve the caller only", async () => {
  await using keyed = await openTinyServer({}, {
    apiKeys: apiKeys("one,two"),
  });
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const ask = (path: string, init: RequestInit) =>
    keyed.app.request(path, init);
  const made = await ask(
    "/v1/models/a/emu3-tiny/predictions",
    json({ input: fox }, as("one")),
  );
  const { id } = await made.json();
  const path = `/v1/predictions/${id}`;
  const stream = await ask(`${path}/stream`, {});
  strictEqual(stream.status, 200);
  match(await stream.text(), /event: done/);
  strictEqual((await ask(path, { headers: as("one") })).status, 200);
  strictEqual((await ask(path, { headers: as("two") })).status, 404);
  strictEqual((await ask(path, {})).status, 401);
  await ask("/predictions/mine", {
    ...json({ input: fox }, as("one")),
    method: "PUT",
  });
  strictEqual((await ask("/predictions/mine/stream", {})).status, 401);
  const other = { headers: as("two") };
  strictEqual((await ask("/predictions/mine/stream", other)).status, 404);
});

Deno.test("GET /models/{name} with a slash is a model below /v1, and Replicate's at the root", async () => {
  const models = () => [listing("org/name", { state: "ready", phases: [] })];
  const services = fakeServices(runAtOnce, { models });
  const app = createApp(services, appOptions().options, server.jobs);
  const told = async (path: string) => await (await app.request(path)).json();
  const { object, id } = await told("/v1/models/org/name");
  deepStrictEqual({ object, id }, { object: "model", id: "org/name" });
  const { owner, name } = await told("/models/org/name");
  deepStrictEqual({ owner, name }, { owner: "org", name: "name" });
  strictEqual((await told("/v1/models/anybody/generate")).owner, "anybody");
  strictEqual((await app.request("/v1/models/org/other")).status, 404);
});
