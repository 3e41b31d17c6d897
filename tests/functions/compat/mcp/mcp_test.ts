import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Hono } from "hono";
import type { AppEnv } from "../../../../functions/http/context.ts";
import { apiKeys } from "../../../../functions/middleware/api_keys.ts";
import { createApp } from "../../../../functions/app.ts";
import { appOptions, openTinyServer } from "../../../support/tiny_server.ts";
import { idleEngine } from "../../../support/idle.ts";
import { until } from "../../../support/until.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { engine } = server.services.imageGenerator(undefined).language;

const long = { prompt: "a secret fox", height: 512, width: 512, seed: 1 };
const short = { prompt: "a secret fox", height: 32, width: 32, seed: 1 };
const initialize = {
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};

function post(
  message: unknown,
  headers: Record<string, string> = {},
  app: Hono<AppEnv> = server.app,
): Promise<Response> {
  return Promise.resolve(app.request("/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: JSON.stringify(message),
  }));
}

function rpc(id: number, rest: Record<string, unknown>) {
  return { jsonrpc: "2.0", id, ...rest };
}

function draw(id: number, args: unknown, meta = {}) {
  const params = { name: "generate_image", arguments: args, _meta: meta };
  return rpc(id, { method: "tools/call", params });
}

/** Returns the messages of an answer. */
// deno-lint-ignore no-explicit-any -- JSON
async function messages(answer: Response): Promise<any[]> {
  return (await answer.text()).split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)));
}

Deno.test("POST /mcp returns a session and its capabilities, and negotiates a version", async () => {
  const answer = await post(rpc(1, initialize));
  match(answer.headers.get("mcp-session-id")!, /^[0-9a-f-]{36}$/);
  const [{ result }] = await messages(answer);
  strictEqual(result.protocolVersion, "2025-06-18");
  deepStrictEqual(result.capabilities, { tools: {} });
  strictEqual(result.serverInfo.name, "emu3");
});

Deno.test("POST /mcp refuses an unknown protocol version", async () => {
  const headers = { "mcp-protocol-version": "1999-01-01" };
  const answer = await post(rpc(1, { method: "tools/list" }), headers);
  strictEqual(answer.status, 400);
  match((await answer.json()).error.message, /1999-01-01/);
});

Deno.test("POST /mcp refuses pages of other origins", async () => {
  const headers = { origin: "https://evil.example" };
  const answer = await post(rpc(1, initialize), headers);
  strictEqual(answer.status, 403);
  const { type, detail } = await answer.json();
  match(type, /forbidden-origin$/);
  match(detail, /CORS_ORIGINS/);
});

Deno.test("POST /mcp lets a page of CORS_ORIGINS call and read its session", async () => {
  const origin = "https://app.example";
  const { options } = appOptions({ corsOrigins: [origin] });
  const app = createApp(server.services, options);
  const answer = await post(rpc(1, initialize), { origin }, app);
  strictEqual(answer.status, 200);
  strictEqual(answer.headers.get("access-control-allow-origin"), origin);
  match(
    answer.headers.get("access-control-expose-headers")!,
    /Mcp-Session-Id/,
  );
  await answer.body!.cancel();
});

Deno.test("GET and DELETE /mcp are refused: there is no stream and no state", async () => {
  for (const method of ["GET", "DELETE"]) {
    const answer = await server.app.request("/mcp", { method });
    strictEqual(answer.status, 405);
    match(answer.headers.get("allow")!, /POST/);
    await answer.body!.cancel();
  }
});

Deno.test("POST /mcp refuses malformed messages", async () => {
  const refused: [unknown, RegExp][] = [
    [
      [rpc(1, { method: "ping" })],
      /batches are not supported; send one message per request/,
    ],
    [{ hello: "world" }, /Invalid JSON-RPC message/],
    [7, /Invalid JSON-RPC message/],
  ];
  for (const [message, expected] of refused) {
    const answer = await post(message);
    strictEqual(answer.status, 400);
    match((await answer.json()).error.message, expected);
  }
  const answer = await server.app.request("/mcp", {
    method: "POST",
    body: "{",
  });
  strictEqual(answer.status, 400);
  match((await answer.json()).detail, /it is not JSON/);
});

Deno.test("POST /mcp refuses unsupported request and answer types", async () => {
  const refused: [Record<string, string>, number][] = [
    [{ accept: "text/html" }, 406],
    [{ "content-type": "text/plain" }, 415],
  ];
  for (const [headers, status] of refused) {
    const answer = await post(rpc(1, { method: "ping" }), headers);
    strictEqual(answer.status, status);
    strictEqual((await answer.json()).status, status);
  }
});

Deno.test("POST /mcp answers in JSON unless Accept lists event streams", async () => {
  const message = rpc(1, { method: "tools/list" });
  const [{ result }] = await messages(await post(message));
  const accepts = [
    "application/json",
    "*/*",
    "",
    "application/json, text/event-stream;q=0",
  ];
  for (const accept of accepts) {
    const answer = await post(message, { accept });
    strictEqual(answer.status, 200);
    match(answer.headers.get("content-type")!, /^application\/json/);
    deepStrictEqual(await answer.json(), { jsonrpc: "2.0", id: 1, result });
  }
  const events = await post(message, { accept: "text/event-stream" });
  match(events.headers.get("content-type")!, /^text\/event-stream/);
  deepStrictEqual(await messages(events), [{ jsonrpc: "2.0", id: 1, result }]);
});

Deno.test("POST /mcp in JSON draws, names sessions, accepts notifications and reports errors", async () => {
  const plain = { accept: "application/json" };
  const drawn = await (await post(draw(1, short), plain)).json();
  deepStrictEqual(
    drawn.result,
    (await messages(await post(draw(1, short))))[0].result,
  );
  const started = await post(rpc(2, initialize), plain);
  match(started.headers.get("mcp-session-id")!, /^[0-9a-f-]{36}$/);
  const noted = { jsonrpc: "2.0", method: "notifications/initialized" };
  strictEqual((await post(noted, plain)).status, 202);
  const wrong = await (await post(draw(3, { prompt: 1 }), plain)).json();
  strictEqual(wrong.result.isError, true);
});

Deno.test("POST /mcp cancels a call that is answered in JSON", async () => {
  const mine = { "mcp-session-id": "json", accept: "application/json" };
  const answer = post(draw(7, long), mine);
  const params = { requestId: 7 };
  const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params };
  await until(() => engine.state.running > 0);
  strictEqual((await post(cancel, mine)).status, 202);
  strictEqual((await answer).ok, false);
  await idleEngine(engine);
});

Deno.test("POST /mcp refuses a body that is too large", async () => {
  const answer = await post(draw(1, { prompt: "x".repeat(2 ** 20) }));
  strictEqual(answer.status, 413);
  match((await answer.json()).detail, /MAX_BODY_BYTES/);
});

Deno.test("POST /mcp lists no tool of a disabled function", async () => {
  const { options } = appOptions({ functions: new Set(["tokenize"]) });
  const app = createApp(server.services, options);
  const list = rpc(1, { method: "tools/list" });
  const [{ result }] = await messages(await post(list, {}, app));
  deepStrictEqual(
    result.tools.map(({ name }: { name: string }) => name),
    ["tokenize_image"],
  );
  const [{ error }] = await messages(await post(draw(2, short), {}, app));
  strictEqual(error.code, -32602);
});

Deno.test("POST /mcp reports progress only for a progress token", async () => {
  const plain = await messages(await post(draw(1, short)));
  strictEqual(plain.length, 1);
  const told = await messages(
    await post(draw(1, short, { progressToken: "mine" })),
  );
  const tokens = told.slice(0, -1)
    .map(({ params }) => params.progressToken);
  ok(tokens.length > 1);
  deepStrictEqual(new Set(tokens), new Set(["mine"]));
});

Deno.test("POST /mcp cancels the call of the same session only, without an answer", async () => {
  const mine = { "mcp-session-id": "mine" };
  const answer = await post(draw(5, long, { progressToken: 1 }), mine);
  const cancel = {
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: 5 },
  };
  const reader = answer.body!.getReader();
  strictEqual((await reader.read()).done, false);
  const other = await post(cancel, { "mcp-session-id": "other" });
  strictEqual(other.status, 202);
  strictEqual((await reader.read()).done, false);
  strictEqual(engine.state.running, 1);
  strictEqual((await post(cancel, mine)).status, 202);
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    rest += new TextDecoder().decode(value);
  }
  ok(!rest.includes('"id":5'));
  await idleEngine(engine);
  const entry = server.trace.access.findLast(({ status }) => status === 499);
  strictEqual(entry?.path, "/mcp");
});

Deno.test("POST /mcp does not cancel the call of another key, in any session", async () => {
  const { options } = appOptions({ apiKeys: apiKeys("one,two") });
  const app = createApp(server.services, options);
  const as = (key: string) => ({
    authorization: `Bearer ${key}`,
    "mcp-session-id": "shared",
  });
  const cancel = {
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: 5 },
  };
  const answer = await post(
    draw(5, long, { progressToken: 1 }),
    as("one"),
    app,
  );
  const reader = answer.body!.getReader();
  await reader.read();
  strictEqual((await post(cancel, as("two"), app)).status, 202);
  strictEqual((await reader.read()).done, false);
  strictEqual(engine.state.running, 1);
  strictEqual((await post(cancel, as("one"), app)).status, 202);
  while (!(await reader.read()).done);
  await idleEngine(engine);
});

Deno.test("POST /mcp cancels the run when its reader leaves, and logs it once", async () => {
  const before = server.trace.access.length;
  const answer = await post(draw(6, long, { progressToken: 1 }));
  const reader = answer.body!.getReader();
  strictEqual((await reader.read()).done, false);
  await reader.cancel();
  await idleEngine(engine);
  deepStrictEqual(
    server.trace.access.slice(before).map(({ status }) => status),
    [499],
  );
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("POST /mcp counts as a request until its stream has ended", async () => {
  const { options } = appOptions({ maxRequests: 1 });
  const app = createApp(server.services, options);
  const first = await post(draw(1, long, { progressToken: 1 }), {}, app);
  const second = await post(rpc(2, { method: "ping" }), {}, app);
  strictEqual(second.status, 503);
  await second.body!.cancel();
  await first.body!.cancel();
  await idleEngine(engine);
  const third = await post(rpc(3, { method: "ping" }), {}, app);
  strictEqual(third.status, 200);
  await third.body!.cancel();
});

Deno.test("POST /mcp hides unexpected errors, and logs them", async () => {
  const { options, trace } = appOptions();
  const broken = new Error("a secret fox");
  const { codec, pixels, limits } = server.services;
  const fail = () => {
    throw broken;
  };
  const services = {
    codec,
    pixels,
    limits,
    imageGenerator: fail,
    captioner: fail,
    vision: fail,
    text: fail,
    models: () => [],
  };
  const app = createApp(services, options);
  const [{ result }] = await messages(await post(draw(1, short), {}, app));
  strictEqual(result.isError, true);
  match(result.content[0].text, /Internal error/);
  deepStrictEqual(trace.failures, [broken]);
});

Deno.test("POST /mcp cancels a call that exceeds the request's time limit", async () => {
  const { options } = appOptions({ requestTimeoutMs: 1 });
  const app = createApp(server.services, options);
  const [{ result }] = await messages(await post(draw(1, long), {}, app));
  strictEqual(result.isError, true);
  match(result.content[0].text, /REQUEST_TIMEOUT_S/);
  await idleEngine(engine);
});

Deno.test("POST /mcp repeats the answer of the same key, unless the tool failed", async () => {
  const key = { "idempotency-key": "mine" };
  const drawn = await messages(await post(draw(1, short), key));
  const again = await post(draw(1, short), key);
  strictEqual(again.headers.get("idempotency-replayed"), "true");
  deepStrictEqual(await messages(again), drawn);
  const other = { "idempotency-key": "other" };
  for (const _ of [0, 1]) {
    const answer = await post(draw(1, {}), other);
    strictEqual(answer.headers.get("idempotency-replayed"), null);
    strictEqual((await messages(answer))[0].result.isError, true);
  }
});
