/** The access checks in `/openapi.json`, compared with those of the routes. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { apiKeys } from "../../functions/middleware/api_keys.ts";
import { createApp } from "../../functions/app.ts";
import { rateLimit } from "../../functions/middleware/rate_limit.ts";
import { describedBy, type Json } from "../support/described.ts";
import { fakeServices, runAtOnce } from "../support/fake_models.ts";
import { appOptions, json, openTinyServer } from "../support/tiny_server.ts";

const accessChecks = {
  apiKeys: apiKeys("secret"),
  rateLimit: rateLimit("2/h"),
};

Deno.test("authenticate() refuses requests without a key where the document lists 401, in its format", async () => {
  await using keyed = await openTinyServer({}, {
    apiKeys: accessChecks.apiKeys,
  });
  const { document, check } = await describedBy(keyed.app);
  let refused = 0;
  for (const [template, methods] of Object.entries<Json>(document.paths)) {
    const path = template.replaceAll(/\{\w+\}/g, "generate");
    for (
      const [method, { responses, security }] of Object.entries<Json>(methods)
    ) {
      const init = { method: method.toUpperCase() };
      const answer = await keyed.app.request(path, init);
      const where = `${init.method} ${path}`;
      strictEqual(answer.status === 401, "401" in responses, where);
      deepStrictEqual(security, "401" in responses ? undefined : [], where);
      if (answer.status !== 401) continue;
      await check(init.method, path, answer);
      refused++;
    }
  }
  ok(refused > 20);
});

Deno.test("limitRate() refuses requests beyond the limit as described, in the format of the route", async () => {
  const { options } = appOptions({ rateLimit: accessChecks.rateLimit });
  for (const path of ["/v1/score", "/v2/models/generate/infer", "/mcp"]) {
    const app = createApp(fakeServices(runAtOnce), options);
    const { check } = await describedBy(app);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const answer = await app.request(path, json([]));
      ok(
        answer.headers.has("ratelimit") &&
          answer.headers.has("ratelimit-policy"),
      );
      statuses.push(answer.status);
      await check("POST", path, answer);
    }
    strictEqual(statuses.indexOf(429), 2, `${statuses}`);
  }
});

Deno.test("POST /mcp answers with the common headers", async () => {
  const { options } = appOptions({ rateLimit: accessChecks.rateLimit });
  const app = createApp(fakeServices(runAtOnce), options);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (
    const message of [
      { jsonrpc: "2.0", id: 1, method: "ping" },
      { jsonrpc: "2.0", method: "notifications/initialized" },
    ]
  ) {
    const answer = await app.request(
      "/mcp",
      json(message, {
        accept: "application/json, text/event-stream",
        "x-request-id": "mine",
        traceparent,
      }),
    );
    ok(answer.ok);
    await answer.text();
    strictEqual(answer.headers.get("x-request-id"), "mine");
    ok(answer.headers.has("ratelimit"));
    strictEqual(
      answer.headers.get("traceparent")!.slice(0, 35),
      traceparent.slice(0, 35),
    );
    strictEqual(answer.headers.get("connection"), null);
  }
});
