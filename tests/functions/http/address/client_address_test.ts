/** The laws of proxy headers: only the configured one is trusted. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  forwarded,
  proxyHeader,
} from "../../../../functions/http/address/client_address.ts";

const FOR = "x-forwarded-for";

function reported(
  headers: Record<string, string>,
  trustedProxies = 1,
  trustedHeader = FOR,
) {
  return forwarded(new Headers(headers), { trustedProxies, trustedHeader });
}

Deno.test("forwarded() trusts the outermost trusted proxy, and no entry before it", () => {
  const headers = { [FOR]: "6.6.6.6, 192.0.2.1, 10.0.0.2" };
  const clients = [0, 1, 2, 3, 4].map((proxies) =>
    reported(headers, proxies).client
  );
  deepStrictEqual(clients, [
    undefined,
    "10.0.0.2",
    "192.0.2.1",
    "6.6.6.6",
    undefined,
  ]);
});

Deno.test("forwarded() reads entries of trusted proxies, for any headers of the client", () => {
  const anyClaim = fc.oneof(
    fc.stringMatching(/^[ -~]{0,40}$/),
    fc.constantFrom('for="', "for=6.6.6.6;host=evil.example", "6.6.6.6,"),
  );
  const anyHeaders = fc.dictionary(
    fc.constantFrom(
      FOR,
      "forwarded",
      "x-forwarded-proto",
      "x-forwarded-host",
      "x-real-ip",
      "true-client-ip",
      "fly-client-ip",
    ),
    anyClaim,
  );
  const appended: Record<string, Record<string, string>> = {
    [FOR]: {
      [FOR]: "192.0.2.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "a.example",
    },
    forwarded: { forwarded: "for=192.0.2.1;proto=https;host=a.example" },
  };
  fc.assert(fc.property(
    anyHeaders,
    fc.constantFrom(...Object.keys(appended)),
    fc.integer({ min: 1, max: 3 }),
    (claims, header, proxies) => {
      const headers = new Headers(claims);
      for (const [name, value] of Object.entries(appended[header]!)) {
        headers.append(name, value);
        for (let i = 1; i < proxies; i++) headers.append(name, "inner");
      }
      const trust = { trustedProxies: proxies, trustedHeader: header };
      deepStrictEqual(forwarded(headers, trust), {
        client: "192.0.2.1",
        scheme: "https",
        host: "a.example",
      });
    },
  ));
});

Deno.test("forwarded() ignores headers that are not configured", () => {
  const claims = {
    forwarded: "for=6.6.6.6;proto=https;host=evil.example",
    "x-real-ip": "6.6.6.6",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
  };
  const nothing = { client: undefined, scheme: undefined, host: undefined };
  deepStrictEqual(
    reported({ forwarded: claims.forwarded }),
    nothing,
    "Forwarded",
  );
  deepStrictEqual(
    reported({ ...claims, [FOR]: "192.0.2.1" }).client,
    "192.0.2.1",
  );
  deepStrictEqual(
    reported({ ...claims, "fly-client-ip": "192.0.2.1" }, 1, "fly-client-ip"),
    { ...nothing, client: "192.0.2.1" },
  );
  deepStrictEqual(reported({ ...claims, [FOR]: "6.6.6.6" }, 1, "forwarded"), {
    client: "6.6.6.6",
    scheme: "https",
    host: "evil.example",
  });
  deepStrictEqual(reported({ ...claims, [FOR]: "6.6.6.6" }, 0), nothing);
});

Deno.test("forwarded() ignores entries that no trusted proxy can have written", () => {
  const headers = {
    [FOR]: "192.0.2.1, 10.0.0.2",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
  };
  deepStrictEqual(reported(headers, 2), {
    client: "192.0.2.1",
    scheme: undefined,
    host: undefined,
  });
});

Deno.test("forwarded() reads a header with one address", () => {
  const client = (text: string) =>
    reported({ "fly-client-ip": text }, 1, "fly-client-ip").client;
  strictEqual(client("192.0.2.1"), "192.0.2.1");
  strictEqual(client("2001:db8::1"), "2001:db8::1");
  strictEqual(client("6.6.6.6, 192.0.2.1"), undefined);
  strictEqual(client("nonsense"), undefined);
});

Deno.test("forwarded() removes ports from addresses", () => {
  const client = (text: string) => reported({ [FOR]: text }).client;
  strictEqual(client("192.0.2.1:8080"), "192.0.2.1");
  strictEqual(client("[2001:db8::1]:8080"), "2001:db8::1");
  strictEqual(client("2001:db8::1"), "2001:db8::1");
  strictEqual(client("unknown"), undefined);
  strictEqual(client("<script>"), undefined);
});

Deno.test("proxyHeader() accepts one header name", () => {
  strictEqual(proxyHeader(undefined), FOR);
  strictEqual(proxyHeader("Forwarded"), "forwarded");
  strictEqual(proxyHeader("CF-Connecting-IP"), "cf-connecting-ip");
  const bad = ["a b", "a,b", "a:", "X-Forwarded-Host", "x-forwarded-proto"];
  for (const text of bad) throws(() => proxyHeader(text), SyntaxError, text);
});
