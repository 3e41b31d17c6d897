import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { apiKeys } from "../../functions/middleware/api_keys.ts";
import { createApp } from "../../functions/app.ts";
import { rateLimit } from "../../functions/middleware/rate_limit.ts";
import { fakeServices, runAtOnce } from "../support/fake_models.ts";
import { appOptions, json } from "../support/tiny_server.ts";

const ORIGIN = "https://example.org";

function guarded() {
  const { options } = appOptions({
    corsOrigins: [ORIGIN],
    apiKeys: apiKeys("a-key"),
    rateLimit: rateLimit("1/h"),
  });
  return createApp(fakeServices(runAtOnce), options);
}

Deno.test("CORS lets a page of an allowed origin send every header that is used", async () => {
  const wanted =
    "authorization,content-type,idempotency-key,last-event-id,prefer,traceparent,x-request-id";
  const answer = await guarded().request("/v1/generate", {
    method: "OPTIONS",
    headers: {
      origin: ORIGIN,
      "access-control-request-method": "POST",
      "access-control-request-headers": wanted,
    },
  });
  strictEqual(answer.status, 204, "no key is asked for");
  const allowed = (name: string) =>
    answer.headers.get(`access-control-allow-${name}`);
  strictEqual(allowed("origin"), ORIGIN);
  deepStrictEqual(allowed("headers")!.split(","), wanted.split(","));
  ok(["GET", "POST", "DELETE"].every((m) => allowed("methods")!.includes(m)));
  strictEqual(allowed("credentials"), null, "no cookie means anything");
  strictEqual(answer.headers.get("access-control-max-age"), "600");
});

Deno.test("CORS allows nothing to a page of another origin", async () => {
  const headers = {
    origin: "https://other.org",
    "access-control-request-method": "POST",
  };
  const answer = await guarded().request("/v1/generate", {
    method: "OPTIONS",
    headers,
  });
  strictEqual(answer.headers.get("access-control-allow-origin"), null);
});

Deno.test("CORS lets a page of an allowed origin call from a public network into a private one, on request", async () => {
  const ask = async (app: ReturnType<typeof guarded>, headers: object) => {
    const answer = await app.request("/v1/generate", {
      method: "OPTIONS",
      headers: { "access-control-request-method": "POST", ...headers },
    });
    return answer.headers.get("access-control-allow-private-network");
  };
  const asks = { "access-control-request-private-network": "true" };
  strictEqual(await ask(guarded(), { origin: ORIGIN, ...asks }), "true");
  strictEqual(await ask(guarded(), { origin: ORIGIN }), null);
  const other = { origin: "https://other.org", ...asks };
  strictEqual(await ask(guarded(), other), null);
  const any = appOptions({ corsOrigins: ["*"] }).options;
  const open = createApp(fakeServices(runAtOnce), any);
  strictEqual(await ask(open, other), "true");
  const none = createApp(fakeServices(runAtOnce), appOptions().options);
  strictEqual(await ask(none, other), null);
});

Deno.test("CORS lets a page read the reason of a refusal, by key or quota", async () => {
  const app = guarded();
  const body = { prompt: "a", height: 16, width: 16 };
  const key = { origin: ORIGIN, authorization: "Bearer a-key" };
  const answers = [
    await app.request("/v1/generate", json(body, { origin: ORIGIN })),
    await app.request("/v1/generate", json(body, key)),
    await app.request("/v1/generate", json(body, key)),
  ];
  deepStrictEqual(answers.map(({ status }) => status), [401, 200, 429]);
  for (const { headers } of answers) {
    strictEqual(headers.get("access-control-allow-origin"), ORIGIN);
    const exposed = headers.get("access-control-expose-headers")!.split(",");
    const names = [
      "Location",
      "Preference-Applied",
      "RateLimit",
      "RateLimit-Policy",
      "Retry-After",
      "X-Request-Id",
      "traceparent",
    ];
    deepStrictEqual(names.filter((name) => !exposed.includes(name)), []);
  }
});

Deno.test("App sends security headers with every answer, and no HSTS", async () => {
  for (const path of ["/v1/models", "/", "/livez", "/nowhere"]) {
    const { headers } = await guarded().request(path);
    strictEqual(headers.get("x-content-type-options"), "nosniff", path);
    strictEqual(headers.get("referrer-policy"), "no-referrer");
    ok(headers.get("content-security-policy")!.includes("default-src 'self'"));
    strictEqual(headers.get("strict-transport-security"), null);
  }
});
