/** The laws of the hosts that a server without keys answers for. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { apiKeys } from "../../../functions/middleware/api_keys.ts";
import {
  allowedHosts,
  type HostPolicy,
  isAllowedHost,
} from "../../../functions/middleware/allowed_hosts.ts";
import { parseHost } from "../../../functions/http/address/request_host.ts";

function allows(
  host: string,
  changes: Partial<HostPolicy> & { hosts?: string; listened?: string } = {},
  localAddress?: string,
): boolean {
  const policy: HostPolicy = {
    publicUrl: undefined,
    apiKeys: [],
    allowedHosts: allowedHosts(changes.hosts),
    listen: { hostname: changes.listened ?? "127.0.0.1" },
    ...changes,
  };
  return isAllowedHost(parseHost(host)!, policy, localAddress);
}

Deno.test("isAllowedHost() allows loopback wherever the server listens", () => {
  for (
    const host of [
      "localhost",
      "LOCALHOST.:9000",
      "app.localhost:1",
      "127.0.0.1:8080",
      "127.1.2.3",
      "[::1]:8080",
    ]
  ) {
    for (const listened of ["127.0.0.1", "0.0.0.0", "10.0.0.7"]) {
      strictEqual(allows(host, { listened }), true, host);
    }
  }
});

Deno.test("isAllowedHost() refuses names that are not configured", () => {
  const strange = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "notlocalhost",
    "emu3",
  ];
  for (const host of strange) {
    for (const listened of ["127.0.0.1", "0.0.0.0", "::"]) {
      strictEqual(allows(host, { listened }), false, host);
    }
  }
  fc.assert(fc.property(fc.domain(), (host) => {
    if (parseHost(host) !== undefined) strictEqual(allows(host), false);
  }));
});

Deno.test("isAllowedHost() allows an address if the server listens on it, or on all", () => {
  const both = (listened: string) =>
    ["10.0.0.7:8080", "[fd00::7]"].map((host) => allows(host, { listened }));
  deepStrictEqual(both("127.0.0.1"), [false, false]);
  deepStrictEqual(both("10.0.0.7"), [true, false]);
  deepStrictEqual(both("fd00:0::7"), [false, true]);
  deepStrictEqual(both("0.0.0.0"), [true, true]);
  deepStrictEqual(both("::"), [true, true]);
  strictEqual(allows("emu3.lan", { listened: "emu3.lan" }), true);
});

Deno.test("isAllowedHost() allows the local address of the connection", () => {
  const listened = "emu3.lan";
  strictEqual(allows("10.0.0.7", { listened }), false);
  strictEqual(allows("10.0.0.7", { listened }, "10.0.0.7"), true);
  strictEqual(allows("10.0.0.7", { listened }, "::ffff:10.0.0.7"), true);
  strictEqual(allows("[fd00::7]", { listened }, "fd00::7"), true);
});

Deno.test("isAllowedHost() allows the host of PUBLIC_URL with any port", () => {
  const publicUrl = "https://emu3.example/api";
  strictEqual(allows("emu3.example", { publicUrl }), true);
  strictEqual(allows("EMU3.example:8080", { publicUrl }), true);
  strictEqual(allows("a.emu3.example", { publicUrl }), false);
});

Deno.test("ALLOWED_HOSTS lists hosts, suffixes, or all", () => {
  const hosts = "Emu3.Example, .svc.cluster.local, 10.0.0.7, ::2";
  deepStrictEqual(allowedHosts(hosts), [
    "emu3.example",
    ".svc.cluster.local",
    "10.0.0.7",
    "[::2]",
  ]);
  for (
    const host of [
      "emu3.example:1",
      "svc.cluster.local",
      "a.b.svc.cluster.local",
      "10.0.0.7",
      "[::2]:80",
    ]
  ) strictEqual(allows(host, { hosts }), true, host);
  for (
    const host of ["a.emu3.example", "evilsvc.cluster.local", "10.0.0.8", "x"]
  ) strictEqual(allows(host, { hosts }), false, host);
  strictEqual(allows("evil.example", { hosts: "*" }), true);
});

Deno.test("isAllowedHost() allows any host with keys", () => {
  strictEqual(allows("evil.example", { apiKeys: apiKeys("key") }), true);
});

Deno.test("ALLOWED_HOSTS refuses malformed hosts", () => {
  const bad = [
    "https://a",
    "a:80",
    "a:",
    "*.a",
    "a b",
    "a/b",
    ".",
    "..a",
    "[::1]:80",
  ];
  for (const text of bad) {
    throws(
      () => allowedHosts(text),
      (error) =>
        error instanceof SyntaxError && /without ports/.test(error.message),
      text,
    );
  }
});
