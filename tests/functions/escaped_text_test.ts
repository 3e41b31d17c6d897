/**
 * The laws of log lines and problems: one event is one line, safe for
 * terminals.
 */

import {
  deepStrictEqual,
  doesNotMatch,
  match,
  ok,
  strictEqual,
} from "node:assert/strict";
import fc from "fast-check";
import { createApp } from "../../functions/app.ts";
import { escapeText, escapeWord, jsonLine } from "../../lib/escaped_text.ts";
import {
  lineSink,
  type LogFormat,
} from "../../functions/middleware/log_sink.ts";
import { startLog } from "../../functions/models/start_log.ts";
import { fakeServices, runAtOnce } from "../support/fake_models.ts";
import { appOptions, json } from "../support/tiny_server.ts";

/** Control characters, and characters that are invisible. */
const HIDDEN =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Cs}/u;

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.integer({ max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  }),
  fc.constantFrom(
    "\r\n00:00:00 200 GET /forged 1 ms id",
    "\u001b[2J\u001b]0;title\u0007",
    "\u009b31m",
    "\u202egnp.exe",
    "\u2028",
    "\ud800",
    "\u{e0041}",
  ),
);

Deno.test("escapeText() escapes terminal sequences and keeps ordinary text", () => {
  fc.assert(fc.property(anyText, (text) => {
    doesNotMatch(escapeText(text), HIDDEN);
    doesNotMatch(escapeWord(text), /\s/u);
  }));
  const plain = 'three apples, "ein Bär", 猫, 🦊, ½ – a/b?c=%0a \\ {}';
  strictEqual(escapeText(plain), plain);
  strictEqual(escapeText("a\r\n\u001b[1m"), "a\\u000d\\u000a\\u001b[1m");
  strictEqual(escapeText("\u{e0041}"), "\\udb40\\udc41");
});

Deno.test("escapeText() bounds the length", () => {
  strictEqual(escapeText("abcdef", 4), "abcd… (2 more)");
  strictEqual(escapeText("abcd", 4), "abcd");
  strictEqual(escapeText("abc🦊", 4), "abc\\ud83e… (1 more)");
});

Deno.test("jsonLine() keeps the value", () => {
  fc.assert(fc.property(anyText, anyText, (key, value) => {
    const line = jsonLine({ [key]: value });
    doesNotMatch(line, HIDDEN);
    deepStrictEqual(
      JSON.parse(line),
      JSON.parse(JSON.stringify({ [key]: value })),
    );
  }));
});

/** Returns the log lines of a request for `path`. */
async function lines(
  format: LogFormat,
  path: string,
  init?: RequestInit,
): Promise<string[]> {
  const out: string[] = [];
  const write = (line: string) => void out.push(line);
  const { options } = appOptions({ log: lineSink(format, write, write) });
  const app = createApp(fakeServices(runAtOnce), options);
  await (await app.request(path, init)).text();
  return out;
}

for (const format of ["json", "pretty"] as const) {
  Deno.test(`lineSink() writes a request with any path as one line: ${format}`, async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const path = `/${encodeURIComponent(text.toWellFormed())}`;
        const [line, ...more] = await lines(format, path);
        deepStrictEqual(more, []);
        doesNotMatch(line!, HIDDEN);
        if (format === "pretty") strictEqual(line!.split(" ").length, 7);
      }),
      { numRuns: 100 },
    );
    const forged = "/%0a%1b%5b1m%20200%20GET%20/%e2%80%a8%c2%9b";
    const [line] = await lines(format, forged);
    match(line!, /\\(n|u000a)\\u001b/);
    const [long] = await lines(format, `/${"a".repeat(8000)}`);
    ok(long!.length < 2000, `${long!.length}`);
  });

  Deno.test(`escapeText() keeps a model's name on one line: ${format}`, () => {
    const out: string[] = [];
    startLog(format, (line) => void out.push(line))("a\nb\u001b", {
      name: "download",
      startedAt: 0,
      seconds: undefined,
      transfer: {
        place: "evil\u009b\u202e",
        bytes: 1,
        totalBytes: undefined,
        bytesPerSecond: undefined,
      },
    });
    doesNotMatch(out.join(""), HIDDEN);
  });

  Deno.test(`lineSink() writes a failure as one line of bounded length: ${format}`, () => {
    const out: string[] = [];
    const write = (line: string) => void out.push(line);
    const sink = lineSink(format, write, write);
    sink.failure("id", new Error(`a\n\u001b${"b".repeat(100_000)}`));
    doesNotMatch(out.join(""), HIDDEN);
    ok(out[0]!.length < 20_000);
  });
}

Deno.test("problemFrom() quotes a bounded, escaped part of the request", async () => {
  const { options } = appOptions();
  const app = createApp(fakeServices(runAtOnce), options);
  const model = `\u001b[2J\u202e${"m".repeat(100_000)}`;
  const body = { prompt: "a", height: 16, width: 16 };
  const sent: [string, RequestInit][] = [
    ["/v1/generate", json({ ...body, model })],
    ["/v1/generate", json({ ...body, [model]: 1 })],
    [
      "/v1/chat/completions",
      json({ model, messages: [{ role: "user", content: "a" }] }),
    ],
    ["/v1/models/" + encodeURIComponent(model.slice(0, 2000)), {}],
    ["/" + "%0a%1b".repeat(1000), {}],
  ];
  for (const [path, init] of sent) {
    const answer = await app.request(path, init);
    ok(answer.status >= 400, path.slice(0, 30));
    const text = await answer.text();
    ok(text.length < 10_000, `${text.length} of ${path.slice(0, 30)}`);
    const { detail, error, instance } = JSON.parse(text);
    doesNotMatch(detail + error.message, HIDDEN);
    match(instance, /^[!-~]*$/);
  }
});

Deno.test("/metrics has no label for unknown paths", async () => {
  const { options } = appOptions();
  const app = createApp(fakeServices(runAtOnce), options);
  for (const path of ["/unheard-of", "/v1/unheard-of", "/page/unheard-of"]) {
    await (await app.request(path)).text();
    await (await app.request(path, { method: "UNHEARD-OF" })).text();
  }
  const metrics = await (await app.request("/metrics")).text();
  doesNotMatch(metrics, /unheard-of/i);
});

Deno.test("App repeats only a valid X-Request-Id in its answers", async () => {
  const { options } = appOptions();
  const app = createApp(fakeServices(runAtOnce), options);
  for (const id of ["a b", "a\u00e9", "<script>", "a".repeat(300), "a,b"]) {
    const headers = { "x-request-id": id, traceparent: id };
    const answer = await app.request("/v1/models", { headers });
    match(answer.headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
    strictEqual(answer.headers.get("traceparent"), null);
  }
});
