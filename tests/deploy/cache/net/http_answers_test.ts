import {
  deepStrictEqual,
  doesNotThrow,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  checkRange,
  plainEtag,
  remedyOf,
} from "../../../../deploy/cache/net/http_answers.ts";
import {
  type Remedy,
  RemoteError,
} from "../../../../deploy/cache/net/remote.ts";

const answer = (status: number, headers: Record<string, string> = {}) => ({
  status,
  headers: new Headers(headers),
});

Deno.test("remedyOf() retries where that may help, after the given time", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const retry = (retryAfterMs?: number) => ({ type: "retry", retryAfterMs });
  const expected: readonly (readonly [
    number,
    string | undefined,
    object,
  ])[] = [
    [500, undefined, retry()],
    [503, "7", retry(7_000)],
    [429, "Thu, 01 Jan 2026 00:00:09 GMT", retry(9_000)],
    [429, "Wed, 31 Dec 2025 00:00:09 GMT", retry(0)],
    [429, "soon", retry()],
    [429, "86400", { type: "elsewhere" }],
    [408, undefined, retry()],
    [425, undefined, retry()],
    [412, undefined, { type: "changed" }],
    [416, undefined, { type: "changed" }],
    [401, undefined, { type: "elsewhere" }],
    [404, "7", { type: "elsewhere" }],
  ];
  for (const [status, after, remedy] of expected) {
    const headers: Record<string, string> = after === undefined
      ? {}
      : { "Retry-After": after };
    deepStrictEqual({ ...remedyOf(answer(status, headers), now) }, remedy);
  }
});

Deno.test("checkRange() accepts the requested range", () => {
  const range = { start: 2, end: 5 };
  for (const total of ["10", "*"]) {
    doesNotThrow(() =>
      checkRange(
        answer(206, { "Content-Range": `bytes 2-4/${total}` }),
        range,
        10,
        "x",
      )
    );
  }
  const all = { start: 0, end: 10 };
  doesNotThrow(() => checkRange(answer(200), all, 10, "x"));
  doesNotThrow(() =>
    checkRange(answer(200, { "Content-Length": "10" }), all, 10, "x")
  );
});

Deno.test("checkRange() reports another content, with the remedy", () => {
  const bad: readonly (readonly [
    number,
    Record<string, string>,
    Remedy["type"],
  ])[] = [
    [200, {}, "whole"],
    [206, {}, "retry"],
    [206, { "Content-Range": "bytes 0-4/10" }, "retry"],
    [206, { "Content-Range": "bytes 2-5/10" }, "retry"],
    [206, { "Content-Range": "bytes 2-4/11" }, "changed"],
    [206, {
      "Content-Range": "bytes 2-4/10",
      "Content-Encoding": "gzip",
    }, "elsewhere"],
  ];
  for (const [status, headers, type] of bad) {
    throws(
      () => checkRange(answer(status, headers), { start: 2, end: 5 }, 10, "x"),
      (error) => {
        ok(error instanceof RemoteError);
        strictEqual(error.remedy.type, type);
        return true;
      },
    );
  }
  throws(
    () =>
      checkRange(
        answer(200, { "Content-Length": "9" }),
        { start: 0, end: 10 },
        10,
        "x",
      ),
    /changed since it was listed, 9 bytes instead of 10/,
  );
});

Deno.test("plainEtag() keeps the part that names the content", () => {
  strictEqual(plainEtag('W/"abc"'), "abc");
  strictEqual(plainEtag('"abc"'), "abc");
  strictEqual(plainEtag(" abc"), "abc");
});
