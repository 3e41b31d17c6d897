/** The laws of `/openapi.json`: it describes the server's behavior. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type AppServices, createApp } from "../../../functions/app.ts";
import { describedBy, type Json } from "../../support/described.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { sourcePicture as file } from "../../support/odd_pictures.ts";
import { text } from "../../support/kserve.ts";
import {
  appOptions,
  bytes,
  json,
  openTinyServer,
} from "../../support/tiny_server.ts";

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const { document, check } = await describedBy(server.app);

/** Paths of pages and their files. */
const PAGES = [
  "/",
  "/icon.svg",
  "/page/*",
  "/docs",
  "/docs/start.js",
  "/docs/style.css",
  "/docs/swagger-ui.css",
  "/docs/swagger-ui-bundle.js",
];

/** Media types that MCP clients must accept; others prefer the first. */
const BOTH = { accept: "application/json, text/event-stream, */*" };

const operations: [method: string, path: string, operation: Json][] = Object
  .entries<Json>(document.paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): typeof operations[0] => [
      method.toUpperCase(),
      path,
      operation,
    ])
  );

Deno.test("/openapi.json describes every route except pages", () => {
  const routes = server.app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) =>
      `${method} ${path.replaceAll(/:(\w+)(\{.*?\})?/g, "{$1}")}`
    );
  const described = operations.map(([method, path]) => `${method} ${path}`);
  deepStrictEqual(
    [...new Set(routes)].sort(),
    [...described, ...PAGES.map((path) => `GET ${path}`)].sort(),
  );
});

Deno.test("/openapi.json omits disabled functions", async () => {
  const { options } = appOptions({ functions: new Set(["caption"]) });
  const app = createApp(fakeServices(runAtOnce), options);
  const { document } = await describedBy(app);
  const paths = Object.keys(document.paths);
  ok(paths.includes("/v1/caption") && paths.includes("/v1/chat/completions"));
  ok(!paths.includes("/v1/generate"));
  ok(!paths.includes("/v1/images/generations"));
  const { parameters, requestBody } =
    document.paths["/v2/models/{model}/infer"].post;
  deepStrictEqual(parameters[0].schema.enum, ["caption"]);
  const { examples } = requestBody.content["application/json"];
  deepStrictEqual(Object.keys(examples), ["caption"]);
  const score = document.components.schemas.ScoreRequest;
  ok(score.anyOf.every(({ properties }: Json) => !("prompt" in properties)));
  const { links } = document.paths["/v1/caption"].post.responses["200"];
  deepStrictEqual(links, {});
});

Deno.test("/openapi.json lists MP4 only if its encoder is installed", async () => {
  const typesOf = async (changes: Partial<AppServices>) => {
    const services = fakeServices(runAtOnce, changes);
    const { document } = await describedBy(
      createApp(services, appOptions().options),
    );
    const { post } = document.paths["/v1/detokenize"];
    return Object.keys(post.responses["200"].content);
  };
  const film = "video/mp4";
  const encodeVideo = () => Promise.resolve(Uint8Array.of(1));
  ok((await typesOf({ encodeVideo })).includes(film));
  ok(!(await typesOf({})).includes(film));
});

Deno.test("/openapi.json has unique operation ids, and links that refer to them", () => {
  const ids = operations.map(([, , { operationId }]) => operationId);
  strictEqual(new Set(ids).size, ids.length);
  const targets = operations.flatMap(([, , { responses }]) =>
    Object.values<Json>(responses).flatMap(({ links }) =>
      Object.values<Json>(links ?? {}).map(({ operationId }) => operationId)
    )
  );
  ok(targets.length > 0);
  deepStrictEqual(targets.filter((id) => !ids.includes(id)), []);
});

Deno.test("/openapi.json resolves all of its references", () => {
  const references = JSON.stringify(document)
    .matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  const names = new Set([...references].map(([, name]) => name!));
  ok(names.size > 0);
  deepStrictEqual(
    [...names].filter((name) => !(name in document.components.schemas)),
    [],
  );
});

for (const [method, template, { requestBody, parameters = [] }] of operations) {
  const examples = requestBody?.content["application/json"]?.examples ?? {};
  for (const [name, { value }] of Object.entries<Json>(examples)) {
    const path = template.replaceAll(/\{(\w+)\}/g, (_, parameter) => {
      const { schema, example } = parameters
        .find((known: Json) => known.name === parameter);
      // Examples of several models are keyed by model.
      return schema.enum?.includes(name) ? name : example;
    });
    Deno.test(`/openapi.json has a working example ${name} of ${path}`, async () => {
      const init = { ...json(value, BOTH), method };
      const answer = await server.app.request(path, init);
      ok(answer.ok, await answer.clone().text());
      await check(method, path, answer);
    });
  }
}

const drawn = { prompt: "a", height: 16, width: 16 };
const png = file("geo_tiny8_8x8.png");
const requests: [path: string, init?: RequestInit][] = [
  ...[
    "image/png",
    "image/jpeg",
    "image/webp",
    "text/event-stream",
    "application/octet-stream",
    "application/x-npy",
  ].map((accept): [string, RequestInit] => [
    "/v1/generate",
    json({ ...drawn, n: 1, logprobs: 1, preview: true }, { accept }),
  ]),
  ["/v1/generate", json({ ...drawn, n: 2 }, { accept: "application/x-npy" })],
  ["/v1/generate", json({ prompt: 1 })],
  ["/v1/generate", json({ prompt: "a", model: "nobody" })],
  ["/v1/generate", json(drawn, { accept: "image/avif" })],
  ["/v1/generate", bytes("{", "application/json")],
  ["/v1/generate", bytes("a", "text/plain")],
  ...["text/plain", "text/event-stream"].map((
    accept,
  ): [string, RequestInit] => [
    "/v1/caption?max_tokens=4",
    bytes(png, "image/png", { accept }),
  ]),
  ["/v1/tokenize", bytes(png, "image/png", { accept: "application/x-npy" })],
  ["/v1/tokenize", bytes("no picture", "image/png")],
  ...["image/apng", "image/gif", "application/zip", "application/json"]
    .map((accept): [string, RequestInit] => [
      "/v1/detokenize",
      json({ clip: { codes: [[[1]], [[2]]] } }, { accept }),
    ]),
  ...["image/jpeg", "image/webp", "application/json"].map((
    accept,
  ): [string, RequestInit] => [
    "/v1/detokenize",
    json({ grid: { codes: [[1, 2]] } }, { accept }),
  ]),
  [
    "/v1/detokenize",
    json({ tokens: [64, 65] }, { accept: "application/json" }),
  ],
  ["/v1/score", json({ grid: { codes: [[1, 2]] }, prompt: "a", rows: true })],
  ["/v1/score?text=a", bytes(png, "image/png")],
  ["/v1/score", json({ grid: { codes: [[1, 2]] } })],
  ["/v1/generate", json({ ...drawn, adapter: "none" })],
  ["/v1/images/generations", json({ prompt: "a", n: 2 })],
  ["/v1/generate", json({ ...drawn, "output_format": "webp" })],
  [
    "/v1/images/generations",
    json({ prompt: "a", "output_format": "webp", "response_format": "url" }),
  ],
  [
    "/v1/images/generations",
    json({ prompt: "a", stream: true, "partial_images": 2 }),
  ],
  ["/v1/images/generations", json({ prompt: 1 })],
  ["/v1/images/generations", json({ prompt: "a", model: "nobody" })],
  ["/v1/images/generations", json({ prompt: "a" }, { prefer: "wait=9" })],
  ["/v1/chat/completions", json({ messages: [] })],
  ["/v1/chat/completions", bytes("{", "application/json")],
  ["/v2"],
  ["/v2/health/live"],
  ["/v2/health/ready"],
  ...["generate", "caption", "tokenize", "detokenize"].flatMap((
    model,
  ): [string][] => [
    [`/v2/models/${model}`],
    [`/v2/models/${model}/ready`],
    [`/v2/models/${model}/versions/1`],
    [`/v2/models/${model}/versions/1/ready`],
  ]),
  ["/v2/models/nobody"],
  ["/v2/models/generate/versions/2/ready"],
  ["/v2/models/nobody/infer", json({ inputs: [] })],
  ["/v2/models/tokenize/infer", json({ inputs: [] })],
  ["/v2/models/tokenize/infer", bytes("{", "application/json")],
  ["/v2/models/tokenize/infer", bytes("a", "text/plain")],
  [
    "/v2/models/tokenize/versions/1/infer",
    json({
      id: "mine",
      inputs: [text("text", "a")],
      parameters: { "binary_data_output": true },
    }),
  ],
  ["/mcp", json({ jsonrpc: "2.0", id: 1, method: "nothing" }, BOTH)],
  ["/mcp", json({ jsonrpc: "2.0", id: 1, method: "ping" })],
  ["/mcp", json({ jsonrpc: "2.0" }, BOTH)],
  ["/mcp", json({}, { ...BOTH, origin: "https://elsewhere.example" })],
  ["/metrics"],
  ["/v1/models"],
  ["/v1/models/emu3-tiny"],
  ["/v1/models/nobody"],
  ["/livez"],
  ["/readyz"],
  ["/ping"],
  ["/health"],
  ["/problems"],
  ["/problems/overloaded"],
  ["/problems/overloaded", { headers: { accept: "text/html" } }],
  ["/problems/overloaded", { headers: { accept: "text/markdown" } }],
  ["/problems/overloaded", { headers: { accept: "image/png" } }],
  ["/problems/nothing"],
  ["/openapi.json"],
];

for (const [path, init = {}] of requests) {
  const { method = "GET" } = init;
  const accept = new Headers(init.headers).get("accept") ?? "anything";
  Deno.test(`${path} answers ${accept} as described`, async () => {
    await check(method, path, await server.app.request(path, init));
  });
}

Deno.test("/openapi.json describes a job, its events and its end", async () => {
  const call = async (method: string, path: string, init: RequestInit = {}) => {
    const answer = await server.app.request(path, { ...init, method });
    const copy = answer.clone();
    await check(method, path, answer);
    return copy;
  };
  const order = json(drawn, { prefer: "respond-async" });
  const { id } = await (await call("POST", "/v1/generate", order)).json();
  const path = `/v1/jobs/${id}`;
  await (await call("GET", `${path}/events`)).text();
  const { status } = await (await call("GET", path)).json();
  strictEqual(status, "succeeded");
  for (
    const [method, route, expected] of [
      ["GET", "/v1/jobs", 200],
      ["DELETE", path, 200],
      ["POST", `${path}/resume`, 409],
      ["GET", "/v1/jobs/nobody", 404],
      ["GET", "/v1/jobs/nobody/events", 404],
      ["DELETE", "/v1/jobs/nobody", 404],
      ["POST", "/v1/jobs/nobody/resume", 404],
    ] as const
  ) strictEqual((await call(method, route)).status, expected);
  const headers = { "last-event-id": "no number" };
  const refused = await call("GET", `${path}/events`, { headers });
  strictEqual(refused.status, 422);
});

Deno.test("/openapi.json describes a prediction, its events and its end", async () => {
  const call = async (method: string, path: string, init: RequestInit = {}) => {
    const answer = await server.app.request(path, { ...init, method });
    const copy = answer.clone();
    await check(method, path, answer);
    return copy;
  };
  const order = json({ input: { prompt: "a", height: 16, width: 16 } });
  const made = await call("POST", "/predictions", order);
  const { id, status } = await made.json();
  strictEqual(status, "succeeded");
  for (const root of ["", "/v1"]) {
    const path = `${root}/predictions/${id}`;
    for (
      const [method, route, expected] of [
        ["GET", `${root}/predictions`, 200],
        ["GET", path, 200],
        ["GET", `${path}/stream`, 200],
        ["PUT", path, 200],
        ["POST", `${path}/cancel`, 200],
        ["GET", `${root}/predictions/nobody`, 404],
        ["GET", `${root}/models/anybody/generate`, 200],
        ["GET", `${root}/models/anybody/nothing`, 404],
      ] as const
    ) strictEqual((await call(method, route)).status, expected, route);
  }
  const file = new FormData();
  file.set("content", new Blob([png]));
  strictEqual((await call("POST", "/files", { body: file })).status, 201);
  strictEqual((await call("GET", "/health-check")).status, 200);
});

Deno.test("/openapi.json describes a repeated answer and a refusal of a job", async () => {
  const ask = async (prompt: unknown, headers: Record<string, string>) => {
    const init = json({ ...drawn, prompt }, headers);
    const answer = await server.app.request("/v1/generate", init);
    const copy = answer.clone();
    await check("POST", "/v1/generate", answer);
    return copy;
  };
  const key = { "idempotency-key": "again" };
  const first = await ask("a", key);
  const again = await ask("a", key);
  strictEqual(again.headers.get("idempotency-replayed"), "true");
  strictEqual(await again.text(), await first.text());
  ok(again.headers.get("x-request-id") !== first.headers.get("x-request-id"));
  const refused = await ask(1, { prefer: "respond-async" });
  strictEqual(refused.status, 422);
  strictEqual(
    (await refused.json()).request_id,
    refused.headers.get("x-request-id"),
  );
});

Deno.test("/openapi.json describes repeated tensors, which equal the first answer", async () => {
  const ask = async () => {
    const init = json({
      inputs: [text("text", "a")],
      parameters: { "binary_data_output": true },
    }, { "idempotency-key": "tensors" });
    const path = "/v2/models/tokenize/infer";
    const answer = await server.app.request(path, init);
    const copy = answer.clone();
    await check("POST", path, answer);
    return copy;
  };
  const first = await ask();
  const again = await ask();
  strictEqual(again.headers.get("idempotency-replayed"), "true");
  const length = "inference-header-content-length";
  ok(Number(first.headers.get(length)) > 0);
  strictEqual(again.headers.get(length), first.headers.get(length));
  deepStrictEqual(await again.bytes(), await first.bytes());
});

Deno.test("/openapi.json describes the refusal of another request's key", async () => {
  const keyed = (prompt: string) =>
    json({ ...drawn, prompt }, { "idempotency-key": "one" });
  for (const [prompt, status] of [["a", 200], ["b", 422]] as const) {
    const answer = await server.app.request("/v1/generate", keyed(prompt));
    strictEqual(answer.status, status);
    await check("POST", "/v1/generate", answer);
  }
});
