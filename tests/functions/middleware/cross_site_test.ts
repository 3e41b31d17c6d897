/** The laws of cross-site requests: none runs a model or changes anything. */

import {
  deepStrictEqual,
  doesNotThrow,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import { createApp } from "../../../functions/app.ts";
import { checkOrigin } from "../../../functions/middleware/cross_site.ts";
import { ForbiddenOriginError } from "../../../functions/http/connection/request_errors.ts";
import {
  appOptions,
  bytes,
  json,
  openTinyServer,
} from "../../support/tiny_server.ts";

const body = { prompt: "a", height: 16, width: 16 };
const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const FORM = "application/x-www-form-urlencoded";

/** Headers of browsers for a cross-site request, by its sender. */
const FOREIGN: Readonly<Record<string, Record<string, string>>> = {
  form: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  "no-cors fetch": { "sec-fetch-site": "cross-site" },
  "sibling site": { "sec-fetch-site": "same-site" },
  "old browser": { origin: "https://evil.example" },
  "sandboxed frame": { origin: "null" },
  "sandboxed frame, marked": { origin: "null", "sec-fetch-site": "cross-site" },
  "extension": { origin: "chrome-extension://abcdef" },
  "two origins": { origin: "http://localhost, https://evil.example" },
};

const server = await openTinyServer();
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const later = json(body, { prefer: "respond-async" });
const { id } = await (await server.app.request("/v1/generate", later)).json();

/** Requests that would run a model, change something or reveal prompts. */
const ASKED: readonly [string, RequestInit][] = [
  ["/v1/generate", json(body)],
  ["/v1/generate", bytes(JSON.stringify(body), "text/plain")],
  ["/v1/generate", bytes("prompt=a&height=16&width=16", FORM)],
  ["/v1/tokenize", bytes("a", "text/plain")],
  ["/v1/images/generations", json({ prompt: "a" })],
  ["/v2/models/generate/infer", json({ inputs: [] })],
  ["/predictions", json({ input: body })],
  ["/predictions/mine", { ...json({ input: body }), method: "PUT" }],
  ["/files", { method: "POST" }],
  ["/mcp", json(ping)],
  [`/v1/jobs/${id}`, { method: "DELETE" }],
  [`/v1/jobs/${id}/resume`, { method: "POST" }],
  [`/predictions/${id}/cancel`, { method: "POST" }],
  [`/v1/jobs/${id}`, {}],
  [`/v1/jobs/${id}`, { method: "HEAD" }],
  [`/v1/jobs/${id}/events`, {}],
  [`/predictions/${id}/stream`, {}],
  ["/v1/jobs", {}],
  ["/predictions", {}],
  ["/v1/models", {}],
  ["/metrics", {}],
];

for (const [name, marks] of Object.entries(FOREIGN)) {
  Deno.test(`refuseCrossSite() refuses cross-site requests that run, change or reveal anything: ${name}`, async () => {
    const before = server.trace.access.length;
    for (const [path, init] of ASKED) {
      const headers = new Headers(init.headers);
      for (const [key, value] of Object.entries(marks)) headers.set(key, value);
      const answer = await server.app.request(path, { ...init, headers });
      strictEqual(answer.status, 403, `${init.method ?? "GET"} ${path}`);
      const text = await answer.text();
      if (init.method !== "HEAD") match(text, /CORS_ORIGINS/);
    }
    const records = server.trace.access.slice(before);
    deepStrictEqual(records.filter(({ model }) => model !== undefined), []);
    strictEqual((await server.app.request(`/v1/jobs/${id}`)).status, 200);
  });
}

Deno.test("refuseCrossSite() lets another site show the page and read health", async () => {
  const headers = FOREIGN["form"]!;
  for (const path of ["/", "/docs", "/openapi.json", "/problems", "/livez"]) {
    const { status } = await server.app.request(path, { headers });
    strictEqual(status, 200, path);
  }
});

Deno.test("refuseCrossSite() admits programs, this origin, the loopback and listed origins", () => {
  const check = (
    url: string,
    headers: Record<string, string>,
    changes: Parameters<typeof appOptions>[0] = {},
  ) =>
    checkOrigin(
      new Request(url, { headers }),
      appOptions(changes).options,
    );
  const here = "http://127.0.0.1:8080/mcp";
  const named = "http://a.example/mcp";
  const cross = { "sec-fetch-site": "cross-site" };
  const fine: Parameters<typeof check>[] = [
    [here, {}],
    [here, { "sec-fetch-site": "same-origin", origin: "null" }],
    [here, { "sec-fetch-site": "none" }],
    [here, { origin: "http://localhost:6274" }],
    [here, { origin: "http://localhost:6274", ...cross }],
    [here, { origin: "http://app.localhost" }],
    [here, { origin: "http://[::1]:3000" }],
    ["http://10.0.0.7:8080/mcp", { origin: "http://10.0.0.7:8080" }],
    ["http://[fd00::7]:8080/mcp", { origin: "http://[fd00::7]:8080" }],
    // A proxy may terminate TLS.
    [named, { origin: "https://a.example" }],
    ["http://a.example:443/mcp", { origin: "https://a.example" }],
    [named, { origin: "https://b.example", ...cross }, {
      corsOrigins: ["https://b.example"],
    }],
    [named, { origin: "null", ...cross }, { corsOrigins: ["*"] }],
    [here, { origin: "https://a.example" }, {
      publicUrl: "https://a.example/emu3",
    }],
  ];
  for (const arguments_ of fine) {
    doesNotThrow(() => check(...arguments_), JSON.stringify(arguments_));
  }
  const strange: Parameters<typeof check>[] = [
    [here, { origin: "https://evil.example" }],
    ["http://10.0.0.7:8080/mcp", { origin: "http://10.0.0.8:8080" }],
    ["http://10.0.0.7:8080/mcp", { origin: "http://10.0.0.7:8081" }],
    ["http://10.0.0.7:8080/mcp", { origin: "http://10.0.0.7" }],
    [here, { origin: "http://localhost.evil.example" }],
    [here, { origin: "http://127.0.0.1.evil.example" }],
    [here, { origin: "null" }],
    [named, { origin: "http://a.example", ...cross }],
    [named, { origin: "http://b.example" }, {
      corsOrigins: ["https://b.example"],
    }],
  ];
  for (const arguments_ of strange) {
    throws(
      () => check(...arguments_),
      ForbiddenOriginError,
      JSON.stringify(arguments_),
    );
  }
});

Deno.test("refuseCrossSite() admits any page with a key, except to /mcp", async () => {
  const { options } = appOptions({ apiKeys: apiKeys("key") });
  const app = createApp(server.services, options);
  const status = async (path: string, message: unknown, authorization = "") => {
    const headers = { ...FOREIGN["form"], authorization };
    return (await app.request(path, json(message, headers))).status;
  };
  const key = "Bearer key";
  strictEqual(await status("/v1/tokenize", { text: "a" }, key), 200);
  strictEqual(await status("/v1/tokenize", { text: "a" }), 401);
  strictEqual(await status("/mcp", ping, key), 403);
});

Deno.test("refuseCrossSite() refuses before the quota is charged", async () => {
  const { options } = appOptions({ rateLimit: { quota: 1, windowMs: 60_000 } });
  const app = createApp(server.services, options);
  const ask = async (headers: Record<string, string>) =>
    (await app.request("/v1/tokenize", json({ text: "a" }, headers))).status;
  deepStrictEqual(
    [await ask(FOREIGN["form"]!), await ask({}), await ask({})],
    [403, 200, 429],
  );
});

Deno.test("refuseCrossSite() grants nothing to a preflight of another site", async () => {
  for (const corsOrigins of [[], ["https://b.example"]]) {
    const { options } = appOptions({ corsOrigins });
    const answer = await createApp(server.services, options).request(
      "/v1/generate",
      {
        method: "OPTIONS",
        headers: {
          origin: "https://evil.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
      },
    );
    strictEqual(answer.headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("App ignores headers that override the method", async () => {
  const headers = {
    "x-http-method-override": "DELETE",
    "x-http-method": "DELETE",
    "x-method-override": "DELETE",
  };
  const path = `/v1/jobs/${id}?_method=DELETE`;
  const post = { method: "POST", headers };
  strictEqual((await server.app.request(path, post)).status, 405);
  const got = await server.app.request(path, { headers });
  strictEqual((await got.json()).status === "canceled", false);
});

Deno.test("App sets no cookies and switches no protocols", async () => {
  const headers = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": "13",
  };
  for (const path of ["/", "/v1/models", "/docs", "/mcp", "/nowhere"]) {
    const answer = await server.app.request(path, { headers });
    strictEqual(answer.headers.get("set-cookie"), null);
    strictEqual(answer.status === 101, false);
    await answer.body?.cancel();
  }
});
