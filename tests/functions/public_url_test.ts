import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Hono } from "hono";
import { forwarded } from "../../functions/client_address.ts";
import type { AppEnv } from "../../functions/context.ts";
import { readEnvironment } from "../../functions/env.ts";
import { publicBase, publicUrl } from "../../functions/public_url.ts";

const asked = (headers: Record<string, string>) =>
  new Request("http://127.0.0.1:8080/v1/models", { headers });

const lies = {
  "x-forwarded-proto": "https",
  "x-forwarded-host": "evil.example",
  "forwarded": "proto=https;host=evil.example",
};

Deno.test("URLs are as they were asked, whatever headers claim", () => {
  const place = { publicUrl: undefined, trustedProxies: 0 };
  strictEqual(publicBase(asked(lies), place), "http://127.0.0.1:8080");
});

Deno.test("PUBLIC_URL counts before everything", () => {
  const machine = { cpus: 1, memoryBytes: 1000 };
  const environment = readEnvironment(
    machine,
    (name) => name === "PUBLIC_URL" ? "https://example.org/emu3/" : undefined,
  );
  const place = { ...environment, trustedProxies: 1 };
  strictEqual(publicBase(asked(lies), place), "https://example.org/emu3");
});

Deno.test("publicUrl() puts a path behind it", async () => {
  const app = new Hono<AppEnv>().get("/", (c) => {
    c.set("publicBase", "https://example.org/emu3");
    return c.text(publicUrl(c, "/v1/jobs/1"));
  });
  const text = await (await app.request("/")).text();
  strictEqual(text, "https://example.org/emu3/v1/jobs/1");
});

Deno.test("a trusted proxy says scheme and host, in either way", () => {
  const place = { publicUrl: undefined, trustedProxies: 1 };
  const base = (headers: Record<string, string>) =>
    publicBase(asked(headers), place);
  const host = "x-forwarded-host";
  strictEqual(base({ "x-forwarded-proto": "https" }), "https://127.0.0.1:8080");
  strictEqual(
    base({ "x-forwarded-proto": "HTTPS", [host]: "example.org:8443" }),
    "https://example.org:8443",
  );
  strictEqual(
    base({ forwarded: 'for="[2001:db8::1]:9";Proto=https;host="[::1]:80"' }),
    "https://[::1]:80",
  );
});

Deno.test("what a proxy cannot have written is not believed", () => {
  const place = { publicUrl: undefined, trustedProxies: 1 };
  const base = (headers: Record<string, string>) =>
    publicBase(asked(headers), place);
  const itself = "http://127.0.0.1:8080";
  strictEqual(base({ "x-forwarded-proto": "javascript" }), itself);
  strictEqual(base({ "x-forwarded-host": "a/b" }), itself);
  strictEqual(base({ "x-forwarded-host": "user@a" }), itself);
  strictEqual(base({ forwarded: "gibberish" }), itself);
});

Deno.test("of many proxies the outermost trusted one is believed, not who came before", () => {
  const headers = new Headers({
    "x-forwarded-for": "6.6.6.6, 192.0.2.1, 10.0.0.2",
  });
  const clients = [0, 1, 2, 3, 4].map((proxies) =>
    forwarded(headers, proxies).client
  );
  deepStrictEqual(clients, [
    undefined,
    "10.0.0.2",
    "192.0.2.1",
    "6.6.6.6",
    undefined,
  ]);
});

Deno.test("addresses come without their ports", () => {
  const client = (text: string) =>
    forwarded(new Headers({ "x-forwarded-for": text }), 1).client;
  strictEqual(client("192.0.2.1:8080"), "192.0.2.1");
  strictEqual(client("[2001:db8::1]:8080"), "2001:db8::1");
  strictEqual(client("2001:db8::1"), "2001:db8::1");
  strictEqual(client("unknown"), undefined);
  strictEqual(client("<script>"), undefined);
});
