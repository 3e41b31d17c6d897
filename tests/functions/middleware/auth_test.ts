import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { apiKeys, findKey } from "../../../functions/middleware/api_keys.ts";
import { createApp } from "../../../functions/app.ts";
import { fakeServices, runAtOnce } from "../../support/fake_models.ts";
import { appOptions, json } from "../../support/tiny_server.ts";

const KEY = "a-key-of-ours";
const body = { prompt: "a", height: 16, width: 16 };

function appWith(keys: string | undefined) {
  const { options, trace } = appOptions({ apiKeys: apiKeys(keys) });
  return { app: createApp(fakeServices(runAtOnce), options), trace };
}

const anyKey = fc.stringMatching(/^[!-+.-~]{1,64}$/)
  .filter((key) => !/^sha256:/i.test(key));

Deno.test("findKey() finds keys, configured plain or by their hash", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uniqueArray(anyKey, { minLength: 1, maxLength: 4 }),
    anyKey,
    async (texts, other) => {
      const plain = apiKeys(texts.join(", "));
      const hashes = await Promise.all(texts.map(sha256));
      deepStrictEqual(
        apiKeys(hashes.join(",")).map(({ name }) => name),
        plain.map(({ name }) => name),
      );
      for (const [i, text] of texts.entries()) {
        strictEqual(findKey(plain, text), plain[i]);
      }
      strictEqual(findKey(plain, other) !== undefined, texts.includes(other));
    },
  ));
});

Deno.test("apiKeys() makes names that do not contain the key", () => {
  fc.assert(fc.property(anyKey.filter(({ length }) => length > 2), (key) => {
    const name = apiKeys(key)[0]!.name;
    match(name, /^key-[0-9a-f]{8}$/);
  }));
});

Deno.test("apiKeys() refuses malformed keys, without quoting them", () => {
  for (
    const text of ["a,,b", "sha256:", "sha256:abc", `sha256:${"g".repeat(64)}`]
  ) {
    throws(
      () => apiKeys(text),
      (error) =>
        error instanceof SyntaxError &&
        error.message === "expected keys or sha256:<64 hex>, with commas",
    );
  }
});

Deno.test("authenticate() treats every caller as anonymous without keys", async () => {
  const { app, trace } = appWith(undefined);
  const authorization = `Bearer ${KEY}`;
  const answer = await app.request(
    "/v1/generate",
    json(body, { authorization }),
  );
  strictEqual(answer.status, 200);
  strictEqual(trace.access[0]!.principal, "anonymous");
});

Deno.test("authenticate() requires one of the keys", async () => {
  const { app, trace } = appWith(`other,${KEY}`);
  const status = async (authorization: string) =>
    (await app.request("/v1/generate", json(body, { authorization }))).status;
  for (const scheme of ["Bearer", "bearer", "Token"]) {
    strictEqual(await status(`${scheme} ${KEY}`), 200);
  }
  const name = apiKeys(KEY)[0]!.name;
  deepStrictEqual(trace.access.map(({ principal }) => principal), [
    name,
    name,
    name,
  ]);
  for (const wrong of [KEY, `Basic ${KEY}`, `Bearer ${KEY}x`, "Bearer", ""]) {
    strictEqual(await status(wrong), 401, wrong);
  }
  strictEqual(trace.access.at(-1)!.principal, "anonymous");
});

Deno.test("authenticate() rejects the hash of a key", async () => {
  const hash = await sha256(KEY);
  const { app } = appWith(hash);
  const status = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` };
    return (await app.request("/v1/models", { headers })).status;
  };
  strictEqual(await status(KEY), 200);
  strictEqual(await status(hash), 401);
  strictEqual(await status(hash.slice(7)), 401);
});

Deno.test("authenticate() names the missing header, and quotes no key", async () => {
  const { app } = appWith(KEY);
  const none = await app.request("/v1/generate", json(body));
  strictEqual(none.status, 401);
  strictEqual(none.headers.get("www-authenticate"), 'Bearer realm="emu3"');
  const problem = await none.json();
  strictEqual(problem.error.code, "unauthorized");
  match(problem.detail, /key required.*Authorization: Bearer/);
  const headers = { authorization: "Bearer not-the-key" };
  const wrong = await app.request("/v1/models", { headers });
  strictEqual(
    wrong.headers.get("www-authenticate"),
    'Bearer realm="emu3", error="invalid_token"',
  );
  const text = await wrong.text();
  match(text, /Unknown API key/);
  ok(!text.includes("not-the-key") && !text.includes(KEY));
});

Deno.test("authenticate() requires no key for open routes, and one for all others", async () => {
  const { app } = appWith(KEY);
  const status = async (path: string, method = "GET") =>
    (await app.request(path, { method })).status;
  const open = [
    "/",
    "/page/shell/main.js",
    "/livez",
    "/readyz",
    "/ping",
    "/health",
  ];
  for (const path of open) strictEqual(await status(path), 200, path);
  const elsewhere = [
    "/docs",
    "/docs/start.js",
    "/openapi.json",
    "/problems",
    "/problems/overloaded",
    "/v2/health/live",
    "/v2/health/ready",
  ];
  for (const path of elsewhere) ok(await status(path) !== 401, path);
  const closed = ["/metrics", "/v1/models", "/v1/jobs/1", "/nowhere", "/docs2"];
  for (const path of closed) strictEqual(await status(path), 401, path);
  strictEqual(await status("/livez", "POST"), 401);
  strictEqual(await status("/docs/%2e%2e/v1/models"), 401);
  strictEqual(await status("/page/%2e%2e/v1/models"), 401);
});

async function sha256(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256:${new Uint8Array(digest).toHex()}`;
}
