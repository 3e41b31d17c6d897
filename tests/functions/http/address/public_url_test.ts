import { strictEqual } from "node:assert/strict";
import { Hono } from "hono";
import type { AppEnv } from "../../../../functions/http/context.ts";
import { readEnvironment } from "../../../../functions/env.ts";
import {
  publicBase,
  publicUrl,
} from "../../../../functions/http/address/public_url.ts";
import { requestHosts } from "../../../../functions/http/address/request_authority.ts";

type Policy = Parameters<typeof requestHosts>[1];

const PLAIN: Policy = {
  publicUrl: undefined,
  trustedProxies: 0,
  trustedHeader: "x-forwarded-for",
  allowedHosts: [],
};

const lies = {
  "x-forwarded-proto": "https",
  "x-forwarded-host": "evil.example",
  "forwarded": "proto=https;host=evil.example",
};

function base(
  headers: Record<string, string>,
  changes: Partial<Policy> = {},
): string {
  const url = "http://127.0.0.1:8080/v1/models";
  const policy = { ...PLAIN, ...changes };
  const request = new Request(url, { headers });
  return publicBase(request, requestHosts(request, policy)[0], policy);
}

Deno.test("publicBase() uses the requested host and no other header", () => {
  strictEqual(base(lies), "http://127.0.0.1:8080");
  strictEqual(base({ host: "LOCALHOST.:81", ...lies }), "http://localhost:81");
});

Deno.test("publicBase() prefers PUBLIC_URL", () => {
  const machine = { cpus: 1, memoryBytes: 1000 };
  const { publicUrl } = readEnvironment(
    machine,
    (name) => name === "PUBLIC_URL" ? "https://example.org/emu3/" : undefined,
  );
  const place = { publicUrl, trustedProxies: 1 };
  strictEqual(base(lies, place), "https://example.org/emu3");
});

Deno.test("publicUrl() appends the path", async () => {
  const app = new Hono<AppEnv>().get("/", (c) => {
    c.set("publicBase", "https://example.org/emu3");
    return c.text(publicUrl(c, "/v1/jobs/1"));
  });
  const text = await (await app.request("/")).text();
  strictEqual(text, "https://example.org/emu3/v1/jobs/1");
});

Deno.test("publicBase() uses scheme and host of the trusted proxy's header", () => {
  const place = { trustedProxies: 1, allowedHosts: [".example.org", "[::1]"] };
  const host = "x-forwarded-host";
  const itself = "https://127.0.0.1:8080";
  strictEqual(base({ "x-forwarded-proto": "https" }, place), itself);
  strictEqual(
    base({ "x-forwarded-proto": "HTTPS", [host]: "example.org:8443" }, place),
    "https://example.org:8443",
  );
  strictEqual(
    base({ forwarded: 'for="[2001:db8::1]:9";Proto=https;host="[::1]:80"' }, {
      ...place,
      trustedHeader: "forwarded",
    }),
    "https://[::1]:80",
  );
  const client = { ...place, trustedHeader: "fly-client-ip" };
  strictEqual(base(lies, client), "http://127.0.0.1:8080");
});

Deno.test("publicBase() uses a proxy's host only if the operator has named it", () => {
  const place = { trustedProxies: 1 };
  const itself = "http://127.0.0.1:8080";
  const reported = (host: string, changes = {}) =>
    base({ "x-forwarded-host": host }, { ...place, ...changes });
  strictEqual(reported("evil.example"), itself);
  strictEqual(reported("evil.example", { allowedHosts: ["*"] }), itself);
  strictEqual(reported("localhost:1"), itself);
});

Deno.test("publicBase() ignores a malformed scheme or host of a proxy", () => {
  const place = { trustedProxies: 1, allowedHosts: ["a", "b"] };
  const itself = "http://127.0.0.1:8080";
  const headers = [
    { "x-forwarded-proto": "javascript" },
    { "x-forwarded-host": "a/b" },
    { "x-forwarded-host": "user@a" },
    { "x-forwarded-host": "a b" },
  ];
  for (const each of headers) strictEqual(base(each, place), itself);
  strictEqual(
    base({ forwarded: "gibberish" }, { ...place, trustedHeader: "forwarded" }),
    itself,
  );
});
