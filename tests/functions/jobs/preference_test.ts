/** The requests that become jobs, over the whole application. */

import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import { handClock } from "../../support/hand_clock.ts";
import { JobClient } from "../../support/job_client.ts";
import { settle } from "../../support/job_desk.ts";
import { newJob } from "../../support/job_tables.ts";
import { goldenBytes } from "../../support/pictures.ts";
import {
  bytes,
  json,
  openTinyServer,
  parseEvents,
} from "../../support/tiny_server.ts";

const clock = handClock();
const server = await openTinyServer({}, {}, { delay: clock.delay });
const { app, jobs } = server;
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());
const client = new JobClient((path, init) => app.request(path, init));

const ASYNC = { prefer: "respond-async" };
const small = { prompt: "a fox", height: 32, width: 32, seed: 1 };
/** The request of some thousand steps: longer than any test. */
const long = { prompt: "a fox", height: 512, width: 512, seed: 1 };

const png = new Uint8Array(goldenBytes("vq/im1_noise_48x32.png"));

function form(boundaryless: Record<string, string>): RequestInit {
  const body = new FormData();
  body.set("image", new File([png], "a.png", { type: "image/png" }));
  for (const [name, value] of Object.entries(boundaryless)) {
    body.set(name, value);
  }
  return { method: "POST", body };
}

/** Returns the same request with more headers. */
function withHeaders(
  init: RequestInit,
  more: Record<string, string>,
): RequestInit {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return { ...init, headers };
}

/** Returns an answer without the members that differ each time. */
function withoutNames(answer: Record<string, unknown>) {
  // The number of runs depends on the cached prefix.
  const { id: _, timings: __, usage: ___, ...rest } = answer;
  return rest;
}

const CALLS: readonly (readonly [string, string, () => RequestInit])[] = [
  ["a drawing", "/v1/generate", () => json(small)],
  ["codes of a picture", "/v1/tokenize", () => bytes(png, "image/png")],
  ["tokens of a text", "/v1/tokenize", () => json({ text: "fox" })],
  ["a form with a picture", "/v1/tokenize", () => form({ resize: "smart" })],
  [
    "a question in a form",
    "/v1/caption",
    () => form({ max_tokens: "3", question: "What?" }),
  ],
  [
    "a question in the address",
    "/v1/caption?max_tokens=3&question=What%3F",
    () => bytes(png, "image/png"),
  ],
  [
    "parts of tokens",
    "/v1/detokenize",
    () => json({ tokens: [1, 2, 3] }),
  ],
];

for (const [name, path, init] of CALLS) {
  Deno.test(`preference() returns ${name} as its request does`, async () => {
    const whole = await app.request(path, init());
    strictEqual(whole.status, 200);
    const accepted = await app.request(path, withHeaders(init(), ASYNC));
    strictEqual(accepted.status, 202);
    strictEqual(accepted.headers.get("preference-applied"), "respond-async");
    const { id, object } = await accepted.json();
    strictEqual(object, "job");
    strictEqual(accepted.headers.get("location"), `/v1/jobs/${id}`);
    const job = await client.ended(id);
    strictEqual(job.status, "succeeded");
    deepStrictEqual(withoutNames(job.result), withoutNames(await whole.json()));
  });
}

Deno.test("preference() answers bytes of codes as a job's picture, with its headers", async () => {
  const codes = bytes(new Uint8Array(2 * 16), "application/octet-stream", {
    "x-grid-height": "4",
    "x-grid-width": "4",
    accept: "image/png",
  });
  const whole = await app.request("/v1/detokenize", codes);
  const accepted = await app.request(
    "/v1/detokenize",
    withHeaders(codes, ASYNC),
  );
  const { result } = await client.ended((await accepted.json()).id);
  strictEqual(result.mime_type, "image/png");
  strictEqual(result.b64_json, (await whole.bytes()).toBase64());
});

Deno.test("preference() answers in time in the accepted type", async () => {
  const accept = { accept: "image/png" };
  const whole = await app.request("/v1/generate", json(small, accept));
  const waited = await app.request(
    "/v1/generate",
    json(small, { ...accept, prefer: "wait=60" }),
  );
  strictEqual(waited.status, 200);
  strictEqual(waited.headers.get("content-type"), "image/png");
  strictEqual(waited.headers.get("preference-applied"), "wait=60");
  strictEqual(waited.headers.get("x-seed"), "1");
  strictEqual(waited.headers.get("x-grid-height"), "4");
  deepStrictEqual(await waited.bytes(), await whole.bytes());
  strictEqual(clock.waiting(), 0);
});

Deno.test("preference() answers JSON, or another accepted type, to a client of events", async () => {
  for (
    const [accept, type] of [
      ["text/event-stream", "application/json"],
      ["text/event-stream, image/jpeg;q=0.5", "image/jpeg"],
    ] as const
  ) {
    const response = await app.request(
      "/v1/generate",
      json(small, { accept, prefer: "wait=60" }),
    );
    strictEqual(response.headers.get("content-type"), type);
    await response.body?.cancel();
  }
});

Deno.test("preference() answers with a job after the wait, and the job continues", async () => {
  const answer = app.request("/v1/generate", json(long, { prefer: "wait=9" }));
  while (clock.waiting() === 0) await settle();
  clock.pass(9000);
  const response = await answer;
  strictEqual(response.status, 202);
  strictEqual(response.headers.get("preference-applied"), "wait=9");
  const { id } = await response.json();
  match((await client.get(id)).status, /^(queued|running)$/);
  const canceled = await client.cancel(id);
  strictEqual(canceled.status, 200);
  strictEqual((await canceled.json()).status, "canceled");
  strictEqual((await (await client.cancel(id)).json()).status, "canceled");
  strictEqual((await client.resume(id)).status, 409);
});

Deno.test("preference() answers a refusal as for a request", async () => {
  const before = (await client.list()).length;
  const refused = { prompt: 1, wrong: 2 };
  const plain = await app.request("/v1/generate", json(refused));
  const response = await app.request("/v1/generate", json(refused, ASYNC));
  strictEqual(response.status, 422);
  strictEqual(
    response.headers.get("content-type"),
    "application/problem+json",
  );
  const { request_id: name, ...problem } = await response.json();
  strictEqual(response.headers.get("x-request-id"), name);
  const { request_id: other, ...expected } = await plain.json();
  notStrictEqual(name, other);
  deepStrictEqual(problem, expected);
  strictEqual((await client.list()).length, before);
});

Deno.test("preference() makes no jobs of other methods and paths", async () => {
  strictEqual(
    (await app.request("/v1/generate", { headers: ASYNC })).status,
    405,
  );
  strictEqual(
    (await app.request("/v1/models", { headers: ASYNC })).status,
    200,
  );
});

Deno.test("GET /v1/jobs/{id}/events repeats events after any one", async () => {
  const accepted = await app.request("/v1/generate", json(small, ASYNC));
  const { id } = await accepted.json();
  const all = await client.events(id);
  deepStrictEqual(all.map(({ id }) => id), all.map((_, i) => i + 1));
  for (const after of all.keys()) {
    deepStrictEqual(await client.events(id, after), all.slice(after));
  }
  deepStrictEqual(await client.events(id, all.length + 5), []);
  // Events of the request's own stream, without the fields that differ each
  // time.
  const stream = await app.request(
    "/v1/generate",
    json(small, { accept: "text/event-stream" }),
  );
  const live = parseEvents(await stream.text());
  const rows = (events: { event: string; data: unknown }[]) =>
    events.filter(({ event }) => event === "row" || event === "image");
  deepStrictEqual(
    rows(all.map(({ event, data }) => ({ event, data: JSON.parse(data) }))),
    rows(live),
  );
  strictEqual(all.at(-1)?.event, live.at(-1)?.event);
});

for (const lastEventId of ["x", "-1", "1.5", "9".repeat(30)]) {
  Deno.test(`GET /v1/jobs/{id}/events rejects Last-Event-ID ${lastEventId}`, async () => {
    jobs.store.insert(newJob(`with ${lastEventId}`));
    const response = await app.request(`/v1/jobs/with ${lastEventId}/events`, {
      headers: { "last-event-id": lastEventId },
    });
    strictEqual(response.status, 422);
    match((await response.json()).detail, /the id of an earlier event/);
    jobs.store.remove(`with ${lastEventId}`);
  });
}

for (const id of ["nobodys", "theirs"]) {
  Deno.test(`GET /v1/jobs/{id} does not find a job of ${id}`, async () => {
    jobs.store.insert(newJob("theirs", { principal: "other" }));
    const answers = await Promise.all([
      client.send(`/v1/jobs/${id}`),
      client.send(`/v1/jobs/${id}/events`),
      client.cancel(id),
      client.resume(id),
    ]);
    for (const answer of answers) {
      strictEqual(answer.status, 404);
      strictEqual((await answer.json()).error.code, "unknown-job");
    }
    ok(!(await client.list()).some(({ id }) => id === "theirs"));
    strictEqual(jobs.store.find("theirs")?.status, "queued");
    jobs.store.remove("theirs");
  });
}

Deno.test("preference() refuses a webhook if webhooks are disabled", async () => {
  const webhook = { url: "https://example.com/hook" };
  const response = await app.request(
    "/v1/generate",
    json({ ...small, webhook }, ASYNC),
  );
  strictEqual(response.status, 422);
  const { errors } = await response.json();
  strictEqual(errors[0].pointer, "/webhook/url");
  match(errors[0].detail, /WEBHOOK_SECRET/);
});

Deno.test("preference() refuses a body that is no JSON before the job is stored", async () => {
  const response = await app.request(
    "/v1/generate",
    bytes("{", "application/json", ASYNC),
  );
  strictEqual(response.status, 400);
  strictEqual((await response.json()).error.code, "malformed-body");
});
