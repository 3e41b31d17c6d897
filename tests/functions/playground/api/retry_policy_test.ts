/** Laws of the page's retry policy, errors and event reader. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { serverEvents } from "../../../../functions/playground/api/events.js";
import { withRetries } from "../../../../functions/playground/api/retry_policy.js";
import {
  ProblemError,
  problemOf,
  UnreachableError,
} from "../../../../functions/playground/api/problem.js";
import { phaseText } from "../../../../functions/playground/shell/server_panel.js";
import { stateOf } from "../../../../functions/playground/shell/server_watch.js";

function problem(code: string, retryAfter?: number): ProblemError {
  const detail = `Cannot: ${code}`;
  const document = { status: 503, detail, type: `/problems/${code}` };
  return new ProblemError(document, retryAfter);
}

/** Rejects with these errors in turn, then succeeds. */
function failing(...errors: Error[]) {
  const waits: unknown[] = [];
  let back = 0;
  const attempt = () => {
    const error = errors.shift();
    return error === undefined
      ? Promise.resolve("done")
      : Promise.reject(error);
  };
  const retryPolicy = {
    signal: new AbortController().signal,
    onWait: (wait: unknown) => void waits.push(wait),
    whenBack: () => Promise.resolve(void back++),
  };
  return { attempt, retryPolicy, waits, back: () => back };
}

Deno.test("withRetries() waits for the Retry-After and reports the wait", async () => {
  const { attempt, retryPolicy, waits, back } = failing(
    problem("overloaded", 0.01),
  );
  strictEqual(await withRetries(attempt, retryPolicy), "done");
  deepStrictEqual(waits, [
    { reason: "Cannot: overloaded", seconds: 1 },
    undefined,
  ]);
  strictEqual(back(), 0);
});

Deno.test("withRetries() polls a server that is starting, stopped or unreachable", async () => {
  const { attempt, retryPolicy, back } = failing(
    new UnreachableError("gone"),
    problem("not-ready", 0),
    problem("interrupted", 0),
    problem("shutting-down", 0),
  );
  strictEqual(await withRetries(attempt, retryPolicy), "done");
  strictEqual(back(), 4);
});

Deno.test("withRetries() rejects if waiting does not help or is aborted", async () => {
  for (
    const error of [problem("not-ready"), problem("internal"), new Error()]
  ) {
    const { attempt, retryPolicy } = failing(error);
    await rejects(withRetries(attempt, retryPolicy), error);
  }
  const { attempt, retryPolicy } = failing(problem("overloaded", 60));
  const controller = new AbortController();
  const waiting = withRetries(attempt, {
    ...retryPolicy,
    signal: controller.signal,
    onWait: () => controller.abort(new Error("stopped")),
  });
  await rejects(waiting, /stopped/);
});

Deno.test("problemOf() parses problems of the server and answers of proxies", async () => {
  const told = await problemOf(
    Response.json({ type: "/problems/overloaded", detail: "full" }, {
      status: 503,
      headers: { "retry-after": "7" },
    }),
  );
  deepStrictEqual(
    [told.code, told.message, told.retryAfterSeconds],
    ["overloaded", "full", 7],
  );
  const other = await problemOf(new Response("<html>", { status: 502 }));
  deepStrictEqual(
    [other.code, other.message, other.retryable, other.retryAfterSeconds],
    ["", "The server responded with status 502.", true, undefined],
  );
});

/** Splits events into chunks of `size` bytes. */
function streamOf(text: string, size: number) {
  const bytes = new TextEncoder().encode(text);
  return ReadableStream.from((function* () {
    for (let at = 0; at < bytes.length; at += size) {
      yield bytes.slice(at, at + size);
    }
  })());
}

Deno.test("serverEvents() parses events at any chunk boundaries, and throws errors", async () => {
  const text =
    'event: row\ndata: {"a":"é"}\n\n: alive\n\nevent: end\ndata: 1\n\n';
  for (const size of [1, 2, 5, 1000]) {
    const events = [];
    for await (const event of serverEvents(streamOf(text, size))) {
      events.push(event);
    }
    deepStrictEqual(events, [
      { event: "row", data: { a: "é" } },
      { event: "end", data: 1 },
    ]);
  }
  const error =
    'event: error\ndata: {"status":503,"detail":"no","type":"/problems/draining"}\n\n';
  await rejects(
    Array.fromAsync(serverEvents(streamOf(error, 9))),
    (error: ProblemError) => error.code === "draining",
  );
});

const model = {
  id: "m",
  revision: null,
  capabilities: ["generate"],
  precision: "fp32",
  device: "cpu",
  phases: [],
  "image_area": null,
  "context_length": null,
  examples: [],
  "max_images": null,
  limits: { "max_body_bytes": 1, "max_pixels": 1, "max_frames": 1 },
  subjects: [],
  "known_words": [],
  adapters: [],
};

Deno.test("stateOf() is ready unless a model is loading or has failed", () => {
  const state = (...states: ("ready" | "loading" | "failed" | "unloaded")[]) =>
    stateOf(states.map((state) => ({ ...model, state }))).state;
  strictEqual(state("ready", "unloaded"), "ready");
  strictEqual(state("ready", "loading"), "loading");
  strictEqual(state("loading", "failed"), "failed");
});

Deno.test("phaseText() contains bytes, rate and time left", () => {
  strictEqual(phaseText({ name: "graphs", "started_at": 0 }), "graphs…");
  strictEqual(
    phaseText({ name: "graphs", "started_at": 0, seconds: 1.25 }),
    "graphs 1.3 s",
  );
  const transfer = {
    place: "hub",
    bytes: 4e9,
    "total_bytes": 16e9,
    "bytes_per_second": 5e8,
  };
  strictEqual(
    phaseText({ name: "download", "started_at": 0, transfer }),
    "download: 4.00 GB of 16.00 GB, 500 MB/s, 24 s left",
  );
});
