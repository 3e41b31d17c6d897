import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Hono } from "hono";
import { apiKeys } from "../../../../../functions/middleware/api_keys.ts";
import { createApp } from "../../../../../functions/app.ts";
import type { AppEnv } from "../../../../../functions/http/context.ts";
import { temporaryFolder } from "../../../../support/temporary_folder.ts";
import {
  appOptions,
  json,
  openTinyServer,
} from "../../../../support/tiny_server.ts";

const DRAW = "/v1/images/generations";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

type Headers = Record<string, string>;

/** Returns the pictures of an answer, drawn twice alike. */
async function draw(
  fields: object,
  app: Hono<AppEnv> = server.app,
  headers: Headers = {},
): Promise<{ url?: string; "b64_json"?: string }[]> {
  const body = { prompt: "a fox", seed: 1, ...fields };
  const answer = await app.request(DRAW, json(body, headers));
  strictEqual(answer.status, 200);
  return (await answer.json()).data;
}

Deno.test("GET /v1/pictures/{name} serves the bytes that the answer would have held", async () => {
  for (
    const format of ["png", "jpeg", "webp"]
  ) {
    const fields = { n: 2, "output_format": format };
    const inAnswer = await draw(fields);
    const byUrl = await draw({ ...fields, "response_format": "url" });
    strictEqual(byUrl.length, 2);
    for (const [i, { url, b64_json }] of byUrl.entries()) {
      strictEqual(b64_json, undefined);
      match(url!, /^http:\/\/localhost\/v1\/pictures\/img-[0-9a-f-]{36}\.\w+$/);
      const answer = await server.app.request(url!);
      strictEqual(answer.status, 200);
      strictEqual(answer.headers.get("content-type"), `image/${format}`);
      strictEqual((await answer.bytes()).toBase64(), inAnswer[i]!.b64_json);
    }
  }
});

Deno.test("GET /v1/pictures/{name} lets pages of other origins show a picture, and nothing else", async () => {
  const [{ url } = {}] = await draw({ "response_format": "url" });
  const headers = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "image" };
  const answer = await server.app.request(url!, { headers });
  strictEqual(answer.status, 200);
  const policy = "cross-origin-resource-policy";
  strictEqual(answer.headers.get(policy), "cross-origin");
  const models = await server.app.request("/v1/models");
  strictEqual(models.headers.get(policy), "same-origin");
  strictEqual((await server.app.request(url!, { method: "POST" })).status, 405);
});

Deno.test("GET /v1/pictures/{name} requires no key, and its URL begins with PUBLIC_URL", async () => {
  const { options } = appOptions({
    apiKeys: apiKeys("secret"),
    publicUrl: "https://emu3.example/a",
  });
  const app = createApp(server.services, options, server.jobs);
  const key = { authorization: "Bearer secret" };
  const [{ url = "" } = {}] = await draw(
    { "response_format": "url" },
    app,
    key,
  );
  match(url, /^https:\/\/emu3\.example\/a\/v1\/pictures\/img-/);
  const path = new URL(url).pathname.slice("/a".length);
  strictEqual((await app.request(path)).status, 200);
  strictEqual((await app.request("/v1/pictures/other.png")).status, 404);
});

Deno.test("GET /v1/pictures/{name} serves a picture as long as jobs of its age are kept", async () => {
  let now = Date.now();
  let uptime = 0;
  const options = { ttlMs: 1000, now: () => now, uptime: () => uptime };
  await using one = await openTinyServer({}, {}, options);
  const [{ url } = {}] = await draw({ "response_format": "url" }, one.app);
  const status = async () => (await one.app.request(url!)).status;
  one.jobs.sweep();
  strictEqual(await status(), 200);
  now += 2000;
  uptime += 2000;
  one.jobs.sweep();
  const gone = await one.app.request(url!);
  strictEqual(gone.status, 404);
  match((await gone.json()).detail, /JOB_TTL_S/);
});

Deno.test("GET /v1/pictures/{name} serves a picture after a restart", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/jobs.sqlite`;
  let url = "";
  let bytes: Uint8Array | undefined;
  for (const _ of ["first", "second"]) {
    await using one = await openTinyServer({}, {}, { path });
    if (url === "") {
      const drawn = await draw({ "response_format": "url" }, one.app);
      url = drawn[0]!.url!;
    }
    const answer = await one.app.request(url);
    strictEqual(answer.status, 200);
    const read = await answer.bytes();
    deepStrictEqual(read, bytes ??= read);
    const head = await one.app.request(url, { method: "HEAD" });
    deepStrictEqual([head.status, await head.text()], [200, ""]);
  }
});

Deno.test("POST /v1/images/generations returns a data URL without a store", async () => {
  const [{ b64_json: base64 } = {}] = await draw({});
  const expected = `data:image/png;base64,${base64}`;
  const asked = { "response_format": "url" };
  const { options } = appOptions();
  const [{ url } = {}] = await draw(asked, createApp(server.services, options));
  strictEqual(url, expected);
  const body = { prompt: "a fox", seed: 1, ...asked };
  const asJob = json(body, { prefer: "respond-async, wait=60" });
  const answer = await server.app.request(DRAW, asJob);
  deepStrictEqual((await answer.json()).data, [{ url: expected }]);
  const tight = { maxBytes: 2 ** 17 };
  await using full = await openTinyServer({}, {}, tight);
  full.jobs.answers.keep = () => {
    throw new Error("full");
  };
  strictEqual((await draw(asked, full.app))[0]!.url, expected);
});
