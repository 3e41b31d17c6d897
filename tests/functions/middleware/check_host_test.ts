/**
 * The laws of DNS rebinding: a server without keys answers only for its own
 * hosts.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import { type AppOptions, createApp } from "../../../functions/app.ts";
import { MalformedRequestError } from "../../../functions/http/connection/request_errors.ts";
import { HEALTH_PATHS } from "../../../functions/http/address/route_path.ts";
import { MAX_TARGET_BYTES } from "../../../functions/http/address/request_target.ts";
import { BAD_HOSTS } from "../../support/bad_hosts.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json, openTinyServer } from "../../support/tiny_server.ts";

const body = { prompt: "a", height: 16, width: 16 };
const EVIL = { host: "evil.example:8080" };

function appWith(changes: Partial<AppOptions> = {}) {
  const { options, trace } = appOptions(changes);
  return { app: createApp(fakeServices(runAtOnce), options), trace };
}

Deno.test("checkHost() refuses every request of a DNS-rebound page", async () => {
  await using server = await openTinyServer();
  const asked: [string, RequestInit][] = [
    ["/", {}],
    ["/docs", {}],
    ["/openapi.json", {}],
    ["/metrics", {}],
    ["/v1/models", {}],
    ["/v1/jobs", {}],
    ["/v1/jobs/job-1", { method: "DELETE" }],
    ["/predictions", {}],
    ["/predictions/job-1/stream", {}],
    ["/predictions/mine", { ...json({ input: body }), method: "PUT" }],
    ["/v1/generate", json(body)],
    ["/v2/models/generate/infer", json({ inputs: [] })],
    ["/mcp", json({ jsonrpc: "2.0", id: 1, method: "ping" })],
    ["/nowhere", {}],
  ];
  for (const [path, init] of asked) {
    const headers = new Headers(init.headers);
    headers.set("host", EVIL.host);
    const answer = await server.app.request(path, { ...init, headers });
    strictEqual(answer.status, 421, path);
    match(await answer.text(), /ALLOWED_HOSTS/);
  }
  strictEqual(server.trace.access.length, asked.length);
  deepStrictEqual(server.trace.failures, []);
});

Deno.test("accessLog() logs a request of a wildcard path once", async () => {
  await using server = await openTinyServer();
  for (const path of ["/*", "/v1/*", "/page/*", "/v1/jobs/:id"]) {
    const before = server.trace.access.length;
    await (await server.app.request(path)).text();
    strictEqual(server.trace.access.length - before, 1, path);
  }
});

Deno.test("checkHost() answers health checks under any host", async () => {
  await using server = await openTinyServer();
  for (const path of HEALTH_PATHS) {
    const answer = await server.app.request(path, { headers: EVIL });
    strictEqual(answer.status, 200, path);
    ok(!(await answer.text()).includes("evil"), path);
  }
});

Deno.test("checkHost() answers a malformed host with a problem and a log line, on every path", async () => {
  const { app, trace } = appWith({ apiKeys: apiKeys("key") });
  // A header of fetch() can be neither blank nor other than bytes.
  for (const host of BAD_HOSTS.filter((host) => host.trim() !== "")) {
    for (const path of ["/livez", "/v1/models"]) {
      const answer = await app.request(path, { headers: { host } });
      strictEqual(answer.status, 400, host);
      strictEqual((await answer.json()).error.code, "malformed-request");
      strictEqual(trace.access.at(-1)!.status, 400);
    }
  }
  deepStrictEqual(trace.failures, []);
});

Deno.test("checkHost() also checks the host in the request's URL", async () => {
  const { app } = appWith();
  const status = async (url: string, host = "localhost") =>
    (await app.request(new Request(url, { headers: { host } }))).status;
  strictEqual(await status("http://localhost/v1/models"), 200);
  strictEqual(await status("http://other.example/v1/models"), 421);
  strictEqual(await status("http://other.example/livez"), 200);
  strictEqual(await status("http://localhost/v1/models", "evil.example"), 421);
});

Deno.test("checkHost() answers a refusal of the listener with a problem and a log line", async () => {
  const { app, trace } = appWith();
  const malformed = new MalformedRequestError("the Host header is missing");
  const answer = await app.request("/v1/models", {}, { malformed });
  strictEqual(answer.status, 400);
  match((await answer.json()).detail, /Host header is missing/);
  deepStrictEqual(trace.access.map(({ status }) => status), [400]);
});

Deno.test("checkHost() accepts targets up to the limit", async () => {
  const { app } = appWith();
  const status = async (length: number) =>
    (await app.request(`/livez?${"a".repeat(length - 7)}`)).status;
  strictEqual(await status(MAX_TARGET_BYTES), 200);
  strictEqual(await status(MAX_TARGET_BYTES + 20), 414);
});

Deno.test("publicBase() never returns a host that is not allowed", async () => {
  const anyName = fc.oneof(
    fc.domain(),
    fc.constantFrom("localhost", "emu3.example", "127.0.0.1"),
  );
  const policies: Partial<AppOptions>[] = [
    {},
    { allowedHosts: ["emu3.example"] },
    { trustedProxies: 1 },
    { trustedProxies: 1, allowedHosts: ["emu3.example"] },
    { trustedProxies: 1, trustedHeader: "forwarded" },
  ];
  await using server = await openTinyServer({}, {});
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...policies),
      fc.record({
        host: anyName,
        "x-forwarded-host": anyName,
        forwarded: anyName.map((name) => `for=192.0.2.1;host=${name}`),
      }, { requiredKeys: [] }),
      async (policy, headers) => {
        const { options } = appOptions(policy);
        const app = createApp(server.services, options, server.jobs);
        const answer = await app.request("/models/emu3/generate", { headers });
        if (!answer.ok) return strictEqual(answer.status, 421);
        const { hostname } = new URL((await answer.json()).url);
        ok(
          ["localhost", "127.0.0.1", ...options.allowedHosts]
            .includes(hostname),
          hostname,
        );
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("checkHost() uses a proxy's reported host if the operator has named it", async () => {
  const trusted = {
    trustedProxies: 1,
    publicUrl: "https://emu3.example",
    allowedHosts: [],
  };
  const status = async (
    headers: Record<string, string>,
    changes: Partial<AppOptions> = trusted,
  ) => (await appWith(changes).app.request("/v1/models", { headers })).status;
  const host = "upstream:8080";
  const reported = "x-forwarded-host";
  strictEqual(await status({ host, [reported]: "emu3.example" }), 200);
  strictEqual(await status({ host }), 421);
  strictEqual(await status({ host, [reported]: "evil.example" }), 421);
  strictEqual(
    await status({ host: "evil.example", [reported]: "localhost" }),
    421,
    "a client may have written it",
  );
  strictEqual(
    await status({ host: "evil.example", [reported]: "emu3.example" }, {
      ...trusted,
      trustedProxies: 0,
    }),
    421,
  );
});

Deno.test("checkHost() allows any host with keys, and URLs use it", async () => {
  const { app } = appWith({ apiKeys: apiKeys("key") });
  const headers = { ...EVIL, authorization: "Bearer key" };
  strictEqual((await app.request("/v1/models", { headers })).status, 200);
  strictEqual((await app.request("/v1/models", { headers: EVIL })).status, 401);
});
