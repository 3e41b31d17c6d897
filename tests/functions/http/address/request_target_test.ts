/** The laws of the URL that a request line and a `Host` header make. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  MalformedRequestError,
  TargetTooLongError,
} from "../../../../functions/http/connection/request_errors.ts";
import {
  hostText,
  parseHost,
} from "../../../../functions/http/address/request_host.ts";
import {
  hostHeader,
  MAX_TARGET_BYTES,
  requestUrl,
} from "../../../../functions/http/address/request_target.ts";
import { BAD_HOSTS } from "../../../support/bad_hosts.ts";

const anyPath = fc.webPath().filter((path) => path.startsWith("/"));
const anyQuery = fc.webQueryParameters().map((text) => text && `?${text}`);
const anyTarget = fc.tuple(anyPath, anyQuery).map((parts) => parts.join(""));
const anyHost = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom("localhost", "emu3", "my_service.internal"),
);
const anyPort = fc.oneof(
  fc.constant(""),
  fc.integer({ min: 1, max: 65_535 }).map((port) => `:${port}`),
);
/** Arbitrary header values, valid hosts among them. */
const anyHeader = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.stringMatching(/^[a-z0-9.:/?#@[\]\\ %,_-]{0,40}$/),
  fc.tuple(anyHost, anyPort).map((parts) => parts.join("")),
);

function pathOf(url: ReturnType<typeof requestUrl>): string | undefined {
  return url instanceof URL ? `${url.pathname}${url.search}` : undefined;
}

Deno.test("requestUrl() takes the path from the request line alone", () => {
  fc.assert(fc.property(anyTarget, anyHeader, (target, header) => {
    const url = requestUrl(target, header, "http");
    if (url instanceof Error) return;
    strictEqual(pathOf(url), pathOf(requestUrl(target, "localhost", "http")));
    strictEqual(url.username + url.password + url.hash, "");
    strictEqual(url.hostname, parseHost(header)!.hostname + dot(header));
  }));
});

Deno.test("requestUrl() takes the host from the target only if it is a whole URL", () => {
  const anyText = fc.oneof(
    anyTarget,
    fc.string({ unit: "binary" }).map((text) => `/${text}`),
    fc.stringMatching(/^\/[a-z0-9.:/?#@\\%]{0,40}$/),
  );
  fc.assert(fc.property(anyText, (target) => {
    const url = requestUrl(target, "emu3.example:8080", "https");
    if (url instanceof URL) {
      strictEqual(url.origin, "https://emu3.example:8080");
    }
  }));
});

Deno.test("requestUrl() joins a valid target and a valid host", () => {
  fc.assert(fc.property(anyTarget, anyHost, anyPort, (target, host, port) => {
    const url = requestUrl(target, `${host}${port}`, "http");
    if (url instanceof Error) {
      // fast-check's domains need not be domains of URLs, such as "xn--0".
      strictEqual(URL.parse(`http://${host}`), null);
    } else {strictEqual(
        url.href,
        new URL(`http://${host}${port}${target}`).href,
      );}
  }));
});

Deno.test("requestUrl() prefers a whole URL to the Host header, which must still be valid", () => {
  fc.assert(fc.property(anyTarget, (target) => {
    const url = requestUrl(`http://other.example:81${target}`, "a", "http");
    strictEqual(`${url}`, new URL(`http://other.example:81${target}`).href);
  }));
  strictEqual(`${requestUrl("http://a", "b", "http")}`, "http://a/");
  strictEqual(`${requestUrl("HTTP://a?x", "b", "http")}`, "http://a/?x");
  ok(requestUrl("http://a/", "b c", "http") instanceof MalformedRequestError);
  ok(requestUrl("http://u@a/", "b", "http") instanceof MalformedRequestError);
  ok(requestUrl("http:///a", "b", "http") instanceof MalformedRequestError);
});

Deno.test("requestUrl() takes no host from leading slashes of a path", () => {
  const url = requestUrl("//evil.example/path", "a.example", "http");
  strictEqual(`${url}`, "http://a.example//evil.example/path");
});

Deno.test("requestUrl() resolves dot segments within the root, however they are encoded", () => {
  for (const target of ["/%2e%2e/livez", "/../livez", "/a/.%2E/livez"]) {
    strictEqual(pathOf(requestUrl(target, "a", "http")), "/livez", target);
  }
});

Deno.test("requestUrl() refuses malformed targets", () => {
  const bad = [
    "",
    "*",
    "a",
    "livez",
    "a.example:443",
    "ftp://a/b",
    "/a b",
    "/a\0b",
    "/a\r\nX: y",
    "/ä",
    "/\u2028",
    "/\ud800",
    "/a\\..\\b",
    "/a#b",
    "/a?b#c",
  ];
  for (const target of bad) {
    const url = requestUrl(target, "a", "http");
    ok(url instanceof MalformedRequestError, target);
  }
});

Deno.test("requestUrl() accepts targets up to the limit", () => {
  const longest = "/".padEnd(MAX_TARGET_BYTES, "a");
  ok(requestUrl(longest, "a", "http") instanceof URL);
  ok(requestUrl(`${longest}a`, "a", "http") instanceof TargetTooLongError);
});

Deno.test("requestUrl() refuses malformed and missing hosts", () => {
  for (const host of [undefined, ...BAD_HOSTS]) {
    const url = requestUrl("/livez", host, "http");
    ok(url instanceof MalformedRequestError, `${host}`);
  }
});

Deno.test("parseHost() normalizes hosts", () => {
  const spelled = (text: string) => hostText(parseHost(text)!);
  strictEqual(spelled("LocalHost:8080"), "localhost:8080");
  strictEqual(spelled("localhost."), "localhost");
  strictEqual(spelled("0x7f.1"), "127.0.0.1");
  strictEqual(spelled("[0:0:0:0:0:0:0:1]:80"), "[::1]:80");
  strictEqual(spelled("a:"), "a");
});

Deno.test("hostHeader() joins all Host headers", () => {
  const raw = ["Accept", "*/*", "HOST", "a", "X-Host", "c"];
  deepStrictEqual(hostHeader(raw), "a");
  deepStrictEqual(hostHeader([...raw, "host", "b"]), "a, b");
  deepStrictEqual(hostHeader(["X", "host", "Host", ""]), "");
  deepStrictEqual(hostHeader([]), undefined);
});

/** Returns the trailing dot of a name, which a URL keeps. */
function dot(header: string): string {
  return /\.(:\d*)?$/.test(header) && !/^[\dx.]+\.(:\d*)?$/i.test(header)
    ? "."
    : "";
}
