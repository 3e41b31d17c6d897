import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type AppOptions, createApp } from "../../functions/app.ts";
import type { HeldState } from "../../functions/models/lazy_resource.ts";
import { NotReadyError } from "../../functions/http/errors/errors.ts";
import { OverloadedError } from "../../lib/errors.ts";
import {
  type FakeRun,
  fakeServices,
  listing,
  runAtOnce,
  runUntilAborted,
} from "../support/fake_models.ts";
import { appOptions, json, parseEvents } from "../support/tiny_server.ts";
import { until } from "../support/until.ts";

const body = { prompt: "a", height: 16, width: 16 };

function appWith(run: FakeRun = runAtOnce, changes: Partial<AppOptions> = {}) {
  const { options, trace } = appOptions(changes);
  return { app: createApp(fakeServices(run), options), trace };
}

/** Returns an application whose models are in these states. */
function appInState(...states: HeldState["state"][]) {
  const models = () =>
    states.map((state, i) => listing(`m${i}`, stateOf(state)));
  return createApp(fakeServices(runAtOnce, { models }), appOptions().options);
}

function stateOf(state: HeldState["state"]): HeldState {
  return state === "loading"
    ? { state, phases: [], retryAfterSeconds: 2 }
    : state === "failed"
    ? { state, phases: [], reason: "why" }
    : { state, phases: [] };
}

Deno.test("App answers 404 for a disabled function, and names FUNCTIONS", async () => {
  const { app } = appWith(runAtOnce, { functions: new Set(["caption"]) });
  for (const name of ["generate", "tokenize", "detokenize"]) {
    const answer = await app.request(`/v1/${name}`, json({}));
    strictEqual(answer.status, 404);
    match((await answer.json()).detail, /FUNCTIONS/);
  }
});

Deno.test("App answers 405 with Allow for another method of a path", async () => {
  const { app } = appWith();
  const answer = await app.request("/v1/generate");
  strictEqual(answer.status, 405);
  strictEqual(answer.headers.get("allow"), "POST");
  const models = await app.request("/v1/models", { method: "DELETE" });
  deepStrictEqual(models.headers.get("allow"), "GET, HEAD");
});

Deno.test("App lists the methods of a path for OPTIONS", async () => {
  const answer = await appWith().app.request("/v1/caption", {
    method: "OPTIONS",
  });
  strictEqual(answer.status, 204);
  strictEqual(answer.headers.get("allow"), "POST");
  strictEqual(await answer.text(), "");
});

Deno.test("App answers HEAD as GET, without a body", async () => {
  const answer = await appWith().app.request("/v1/models", { method: "HEAD" });
  strictEqual(answer.status, 200);
  strictEqual(answer.headers.get("content-type"), "application/json");
  strictEqual(await answer.text(), "");
});

Deno.test("App keeps a valid request id, and replaces others", async () => {
  const { app, trace } = appWith();
  const id = async (sent: string) => {
    const headers = { "x-request-id": sent };
    const answer = await app.request("/livez", { headers });
    return answer.headers.get("x-request-id");
  };
  strictEqual(await id("my-id_1"), "my-id_1");
  ok(await id("spaces are not") !== "spaces are not");
  ok((await id("x".repeat(999)))!.length < 99);
  strictEqual(trace.access[0]!.id, "my-id_1");
});

Deno.test("CORS allows the configured origins", async () => {
  const origin = "https://example.org";
  const allowed = async (origins: string[], origin: string) => {
    const { app } = appWith(runAtOnce, { corsOrigins: origins });
    const answer = await app.request("/livez", { headers: { origin } });
    return answer.headers.get("access-control-allow-origin");
  };
  strictEqual(await allowed([], origin), null);
  strictEqual(await allowed([origin], origin), origin);
  strictEqual(await allowed([origin], "https://other.org"), null);
  strictEqual(await allowed(["*"], origin), "*");
});

Deno.test("CORS lets a page of an allowed origin read a refusal", async () => {
  const { app } = appWith(runAtOnce, { corsOrigins: ["*"] });
  const answer = await app.request("/v1/generate", json({}));
  strictEqual(answer.status, 422);
  strictEqual(answer.headers.get("access-control-allow-origin"), "*");
  match(answer.headers.get("access-control-expose-headers")!, /X-Request-Id/);
});

Deno.test("GET /livez answers in every state of the models", async () => {
  strictEqual(
    (await appInState("loading", "failed").request("/livez")).status,
    200,
  );
});

Deno.test("GET /readyz waits for loading models, not for unloaded ones", async () => {
  const status = async (...states: HeldState["state"][]) =>
    (await appInState(...states).request("/readyz")).status;
  strictEqual(await status("ready", "unloaded"), 200);
  strictEqual(await status("ready", "loading"), 503);
  strictEqual(await status("ready", "failed"), 503);
});

Deno.test("GET /ping answers 204 while loading and 200 when ready", async () => {
  const status = async (state: HeldState["state"]) =>
    (await appInState(state).request("/ping")).status;
  strictEqual(await status("loading"), 204);
  strictEqual(await status("ready"), 200);
  strictEqual(await status("failed"), 503);
});

Deno.test("GET /readyz answers with the Retry-After of a loading model", async () => {
  const wait = (retryAfterSeconds: number) =>
    listing(`m${retryAfterSeconds}`, {
      state: "loading",
      phases: [],
      retryAfterSeconds,
    });
  const models = () => [wait(7), wait(31), listing("m", stateOf("ready"))];
  const services = fakeServices(runAtOnce, { models });
  const app = createApp(services, appOptions().options);
  for (const path of ["/readyz", "/health"]) {
    const answer = await app.request(path);
    deepStrictEqual(
      [answer.status, answer.headers.get("retry-after")],
      [503, "31"],
    );
  }
});

Deno.test("GET /v1/models lists states, and the reason of a failure", async () => {
  const app = appInState("ready", "failed");
  const { object, data } = await (await app.request("/v1/models")).json();
  strictEqual(object, "list");
  deepStrictEqual(
    data.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [["m0", "ready"], ["m1", "failed"]],
  );
  strictEqual(data[1].reason, "why");
  deepStrictEqual(await (await app.request("/v1/models/m1")).json(), data[1]);
  strictEqual((await app.request("/v1/models/m2")).status, 404);
});

Deno.test("App answers with Retry-After while a model loads", async () => {
  const services = fakeServices(runAtOnce, {
    imageGenerator: () => {
      throw new NotReadyError("Cannot use model: it is still loading", 2);
    },
  });
  const app = createApp(services, appOptions().options);
  const answer = await app.request("/v1/generate", json(body));
  strictEqual(answer.status, 503);
  strictEqual(answer.headers.get("retry-after"), "2");
  strictEqual((await answer.json()).retryable, true);
});

Deno.test("App answers with the reason of a failed model, and without Retry-After", async () => {
  const services = fakeServices(runAtOnce, {
    imageGenerator: () => {
      throw new NotReadyError("Cannot use model: a file is missing");
    },
  });
  const app = createApp(services, appOptions().options);
  const answer = await app.request("/v1/generate", json(body));
  strictEqual(answer.status, 503);
  strictEqual(answer.headers.get("retry-after"), null);
  const { detail, retryable } = await answer.json();
  match(detail, /a file is missing/);
  strictEqual(retryable, false);
});

Deno.test("App refuses with Retry-After if the queue is full, also before events", async () => {
  const { app } = appWith(() => Promise.reject(new OverloadedError(7)));
  for (const accept of ["application/json", "text/event-stream"]) {
    const answer = await app.request("/v1/generate", json(body, { accept }));
    strictEqual(answer.status, 503);
    strictEqual(answer.headers.get("retry-after"), "7");
    strictEqual((await answer.json()).error.code, "overloaded");
  }
});

Deno.test("App refuses a request beyond the limit until another ends", async () => {
  const { app } = appWith(runUntilAborted, { maxRequests: 1 });
  const leave = new AbortController();
  const first = app.request("/v1/generate", {
    ...json(body),
    signal: leave.signal,
  });
  const second = await app.request("/v1/generate", json(body));
  strictEqual(second.status, 503);
  leave.abort();
  await first;
  strictEqual((await app.request("/v1/generate", json({}))).status, 422);
});

Deno.test("App answers 504 for a request that exceeds its timeout", async () => {
  const { app } = appWith(runUntilAborted, { requestTimeoutMs: 20 });
  const answer = await app.request("/v1/generate", json(body));
  strictEqual(answer.status, 504);
  const { detail, retryable } = await answer.json();
  match(detail, /REQUEST_TIMEOUT_S/);
  strictEqual(retryable, true);
});

Deno.test("App ends a stream that exceeds its timeout with an error event", async () => {
  const { app } = appWith(runUntilAborted, { requestTimeoutMs: 20 });
  const answer = await app.request(
    "/v1/generate",
    json(body, { accept: "text/event-stream" }),
  );
  strictEqual(answer.status, 200);
  const events = parseEvents(await answer.text());
  deepStrictEqual(events.map(({ event }) => event), [
    "queued",
    "started",
    "error",
  ]);
  strictEqual(events[0]!.data.position, 3);
  strictEqual(events[2]!.data.status, 504);
});

Deno.test("App cancels the run of a stream whose reader leaves", async () => {
  const ended = Promise.withResolvers<unknown>();
  const { app, trace } = appWith((request, signal) => {
    signal.addEventListener("abort", () => ended.resolve(signal.reason));
    return runUntilAborted(request, signal);
  });
  const answer = await app.request(
    "/v1/generate",
    json(body, { accept: "text/event-stream" }),
  );
  const reader = answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  ok(await ended.promise instanceof DOMException);
  // The line is written once the stream has ended.
  await until(() => trace.access.length > 0);
  strictEqual(trace.access[0]!.status, 499);
  deepStrictEqual(trace.failures, []);
});

Deno.test("App cancels the run of a client that leaves, and logs it", async () => {
  const { app, trace } = appWith(runUntilAborted);
  const leave = new AbortController();
  const answer = app.request("/v1/generate", {
    ...json(body),
    signal: leave.signal,
  });
  leave.abort();
  await answer;
  strictEqual(trace.access[0]!.status, 499);
  deepStrictEqual(trace.failures, []);
});

Deno.test("App answers 500 for an unexpected error, and only logs its message", async () => {
  const bug = new TypeError("secret of the inside");
  const { app, trace } = appWith(() => Promise.reject(bug));
  const answer = await app.request("/v1/generate", json(body));
  strictEqual(answer.status, 500);
  ok(!(await answer.text()).includes("secret"));
  deepStrictEqual(trace.failures, [bug]);
});

Deno.test("App answers waiting clients during a shutdown", async () => {
  const closed = new DOMException("the engine is closed", "AbortError");
  const { app } = appWith(() => Promise.reject(closed));
  const answer = await app.request("/v1/generate", json(body));
  strictEqual(answer.status, 503);
  strictEqual((await answer.json()).error.code, "shutting-down");
});

Deno.test("App serves the page and its files, which may load nothing else", async () => {
  const { app } = appWith();
  const page = await app.request("/");
  match(page.headers.get("content-type")!, /^text\/html/);
  const policy = page.headers.get("content-security-policy")!;
  match(policy, /default-src 'self'/);
  match(policy, /media-src blob:/);
  const html = await page.text();
  ok(!/https?:\/\/(?!www\.w3\.org)/.test(html), "another origin");
  for (const [, path] of html.matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
    const file = await app.request(path!);
    strictEqual(file.status, 200, `${path}`);
    await file.body?.cancel();
  }
});
