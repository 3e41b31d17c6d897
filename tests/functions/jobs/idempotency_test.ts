/** The repeated requests, over the whole application. */

import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import type { AccessRecord } from "../../../functions/middleware/access_log.ts";
import { Jobs } from "../../../functions/jobs/jobs.ts";
import { createApp } from "../../../functions/app.ts";
import {
  fakeServices,
  runAtOnce,
  runUntilAborted,
} from "../../support/fake_models.ts";
import { JobClient } from "../../support/job_client.ts";
import { settle } from "../../support/job_desk.ts";
import { goldenBytes } from "../../support/pictures.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import {
  appOptions,
  bytes,
  json,
  openTinyServer,
} from "../../support/tiny_server.ts";

const server = await openTinyServer();
const { app, jobs, trace } = server;
globalThis.addEventListener("unload", () => server[Symbol.asyncDispose]());

const png = new Uint8Array(goldenBytes("vq/im1_noise_48x32.png"));
/** The request of a picture without a seed: another one each time. */
const drawing = { prompt: "a fox", height: 32, width: 32 };

let keys = 0;
const newKey = () => `key-${keys++}`;

/** Returns a request with a key and more headers. */
function keyed(
  key: string,
  init: RequestInit,
  more: Record<string, string> = {},
): RequestInit {
  const headers = new Headers(init.headers);
  headers.set("idempotency-key", key);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return { ...init, headers };
}

function form(boundary: string, resize = "smart"): RequestInit {
  const head = [
    `--${boundary}\r\nContent-Disposition: form-data; name="resize"\r\n\r\n${resize}\r\n`,
    `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`,
  ];
  const body = new Blob([...head, png, `\r\n--${boundary}--\r\n`]);
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
  };
  return { method: "POST", headers, body };
}

/** Returns the parts of an answer that repeat. */
async function wholeOf(response: Response) {
  const headers = [...response.headers].filter(([name]) =>
    !/^(x-request-id|idempotency-replayed|x-accel-buffering|cache-control)$/
      .test(name)
  );
  return {
    status: response.status,
    headers,
    body: (await response.bytes()).toBase64(),
  };
}

const ANSWERS: readonly (readonly [string, string, () => RequestInit])[] = [
  ["JSON", "/v1/generate", () => json(drawing)],
  ["a PNG", "/v1/generate", () => json(drawing, { accept: "image/png" })],
  [
    "codes",
    "/v1/generate",
    () => json(drawing, { accept: "application/x-npy" }),
  ],
  [
    "a stream",
    "/v1/generate",
    () => json(drawing, { accept: "text/event-stream" }),
  ],
  [
    "an answer that was waited for",
    "/v1/generate",
    () => json(drawing, { accept: "image/png", prefer: "wait=60" }),
  ],
  [
    "a job",
    "/v1/generate",
    () => json(drawing, { prefer: "respond-async" }),
  ],
  ["an answer to bytes", "/v1/tokenize", () => bytes(png, "image/png")],
];

/** Returns the log fields of work for a request. */
function workOf(line: AccessRecord): readonly unknown[] {
  const times = [line.queue_ms, line.prefill_ms, line.decode_ms];
  const told = [line.tokens, ...times, line.vision_ms];
  return told.filter((value) => value !== undefined);
}

for (const [name, path, init] of ANSWERS) {
  Deno.test(`idempotency() returns ${name} again for a repeated key, and runs nothing`, async () => {
    const key = newKey();
    const first = await app.request(path, keyed(key, init()));
    strictEqual(first.headers.get("idempotency-replayed"), null);
    const whole = await wholeOf(first);
    ok(whole.status < 300);
    const again = await app.request(path, keyed(key, init()));
    strictEqual(again.headers.get("idempotency-replayed"), "true");
    const id = again.headers.get("x-request-id");
    ok(id);
    deepStrictEqual(await wholeOf(again), whole);
    // Jobs of other tests may end meanwhile: only its own line counts.
    const lines = trace.access.filter((line) => line.id === id);
    deepStrictEqual(lines.map(workOf), [[]]);
    // Without the key the answer differs, so that this test can fail.
    if (path === "/v1/generate") {
      const other = await app.request(path, init());
      notStrictEqual((await wholeOf(other)).body, whole.body);
    }
  });
}

Deno.test("idempotency() ignores the boundary of a form", async () => {
  const key = newKey();
  const ask = (init: RequestInit) =>
    app.request("/v1/tokenize", keyed(key, init));
  const first = await ask(form("one"));
  strictEqual(first.status, 200);
  const again = await ask(form("----another.boundary"));
  strictEqual(again.headers.get("idempotency-replayed"), "true");
  deepStrictEqual(await wholeOf(again), await wholeOf(first));
  strictEqual((await ask(form("one", "none"))).status, 422);
});

const OTHERS: readonly (readonly [string, string, RequestInit])[] = [
  ["body", "/v1/generate", json({ ...drawing, n: 2 })],
  ["path", "/v1/caption", json(drawing)],
  ["query", "/v1/generate?a=b", json(drawing)],
  ["Accept", "/v1/generate", json(drawing, { accept: "image/png" })],
  ["Prefer", "/v1/generate", json(drawing, { prefer: "wait=1" })],
  ["type", "/v1/generate", json(drawing, { "content-type": "text/plain" })],
  [
    "number of frames",
    "/v1/generate",
    json(drawing, { "x-grid-frames": "2" }),
  ],
  [
    "length of an inference header",
    "/v1/generate",
    json(drawing, { "inference-header-content-length": "2" }),
  ],
  [
    "text that only a boundary would hide",
    "/v1/generate",
    bytes(
      JSON.stringify({ ...drawing, prompt: "a foxfox" }),
      "application/json; boundary=fox",
    ),
  ],
];

const used = newKey();
await (await app.request("/v1/generate", keyed(used, json(drawing)))).text();

for (const [what, path, init] of OTHERS) {
  Deno.test(`Idempotency-Key rejects a request with another ${what}`, async () => {
    const response = await app.request(path, keyed(used, init));
    strictEqual(response.status, 422);
    const { error, retryable } = await response.json();
    strictEqual(error.code, "idempotency-mismatch");
    strictEqual(retryable, false);
  });
}

Deno.test("idempotency() keeps keys apart by principal", async () => {
  const key = newKey();
  const first = await app.request("/v1/generate", keyed(key, json(drawing)));
  await first.text();
  const { fingerprint, answer } = jobs.answers.find("anonymous", key)!;
  jobs.answers.free("anonymous", key);
  jobs.answers.keep({ principal: "other", key, fingerprint }, answer!, 1);
  const again = await app.request("/v1/generate", keyed(key, json(drawing)));
  strictEqual(again.headers.get("idempotency-replayed"), null);
  await again.text();
});

for (const key of ["", '""', "é", "a\tb", "x".repeat(256)]) {
  Deno.test(`idempotency() rejects the key ${JSON.stringify(key.slice(0, 9))}`, async () => {
    const response = await app.request(
      "/v1/generate",
      keyed(key, json(drawing)),
    );
    strictEqual(response.status, 422);
    match((await response.json()).detail, /1 to 255 printable ASCII/);
  });
}

Deno.test("idempotency() accepts a key with and without quotes", async () => {
  const key = newKey();
  const plain = keyed(key, json({ text: "fox" }));
  await (await app.request("/v1/tokenize", plain)).text();
  const quoted = keyed(`"${key}"`, json({ text: "fox" }));
  const again = await app.request("/v1/tokenize", quoted);
  strictEqual(again.headers.get("idempotency-replayed"), "true");
});

Deno.test("idempotency() frees the key of a refused request", async () => {
  const key = newKey();
  for (const more of [{}, { prefer: "respond-async" }]) {
    const wrong = keyed(key, json({ prompt: 1 }), more);
    strictEqual((await app.request("/v1/generate", wrong)).status, 422);
  }
  const mended = await app.request("/v1/generate", keyed(key, json(drawing)));
  strictEqual(mended.status, 200);
  await mended.text();
});

Deno.test("idempotency() frees the key of a job that failed while its client waited", async () => {
  const fake = fakeApp(() => Promise.reject(new RangeError("a bug")));
  const init = keyed("k", json(drawing, { prefer: "wait=60" }));
  strictEqual((await fake.app.request("/v1/generate", init)).status, 500);
  strictEqual(fake.jobs.answers.find("anonymous", "k"), undefined);
  await fake.jobs[Symbol.asyncDispose]();
});

Deno.test("idempotency() ignores the key of a GET", async () => {
  const response = await app.request("/v1/models", {
    headers: { "idempotency-key": "" },
  });
  strictEqual(response.status, 200);
});

/** Returns the application around an engine that a test controls. */
function fakeApp(run = runUntilAborted, path = ":memory:") {
  const { options, trace } = appOptions();
  const services = fakeServices(run);
  const worker = createApp(services, options);
  const jobs = new Jobs({
    path,
    ttlMs: 60_000,
    maxBytes: 2 ** 26,
    limit: 8,
    now: Date.now,
    execute: async (request, call) => await worker.fetch(request, { call }),
    onFailure: (error) => void trace.failures.push(error),
    pageBase: "",
    webhooks: undefined,
  });
  return { app: createApp(services, options, jobs), jobs, trace };
}

Deno.test("idempotency() serves one of two concurrent requests, and refuses the other for now", async () => {
  const key = newKey();
  const init = () => keyed(key, json(drawing));
  const answers = await Promise.all([
    app.request("/v1/generate", init()),
    app.request("/v1/generate", init()),
  ]);
  const [good, refused] = answers.sort((a, b) => a.status - b.status);
  strictEqual(good!.status, 200);
  strictEqual(refused!.status, 409);
  const problem = await refused!.json();
  strictEqual(problem.error.code, "idempotency-conflict");
  strictEqual(problem.retryable, true);
  const again = await app.request("/v1/generate", init());
  deepStrictEqual(await wholeOf(again), await wholeOf(good!));
});

Deno.test("idempotency() refuses a key that another request is using", async () => {
  const atWork = Promise.withResolvers<void>();
  const fake = fakeApp((request, signal) => {
    atWork.resolve();
    return runUntilAborted(request, signal);
  });
  const leave = new AbortController();
  const at = fake.app.request(
    "/v1/generate",
    { ...keyed("k", json(drawing)), signal: leave.signal },
  );
  await atWork.promise;
  const other = keyed("k", json({ ...drawing, n: 2 }));
  strictEqual((await fake.app.request("/v1/generate", other)).status, 422);
  leave.abort();
  await (await at).text();
  await fake.jobs[Symbol.asyncDispose]();
});

Deno.test("idempotency() frees the key of a stream that its reader leaves", async () => {
  const fake = fakeApp();
  const init = () => keyed("k", json(drawing, { accept: "text/event-stream" }));
  const { body } = await fake.app.request("/v1/generate", init());
  const reader = body!.getReader();
  await reader.read();
  strictEqual((await fake.app.request("/v1/generate", init())).status, 409);
  await reader.cancel();
  strictEqual(fake.jobs.answers.find("anonymous", "k"), undefined);
  const again = await fake.app.request("/v1/generate", init());
  strictEqual(again.status, 200);
  await again.body!.cancel();
  await fake.jobs[Symbol.asyncDispose]();
});

Deno.test("idempotency() frees the key of a stream that ends in an error", async () => {
  const fake = fakeApp((request) => {
    request.onQueued?.(0);
    return Promise.reject(new RangeError("a bug"));
  });
  const init = keyed("k", json(drawing, { accept: "text/event-stream" }));
  const response = await fake.app.request("/v1/generate", init);
  match(await response.text(), /event: error/);
  strictEqual(fake.jobs.answers.find("anonymous", "k"), undefined);
  strictEqual((await fake.app.request("/v1/generate", init)).status, 200);
  await fake.jobs[Symbol.asyncDispose]();
});

Deno.test("idempotency() sends an answer that cannot be kept", async () => {
  const fake = fakeApp(runAtOnce);
  fake.jobs.answers.keep = () => {
    throw new RangeError("no room");
  };
  const init = () => keyed("k", json(drawing, { accept: "image/png" }));
  for (let i = 0; i < 2; i++) {
    const response = await fake.app.request("/v1/generate", init());
    strictEqual(response.status, 200);
    await response.bytes();
  }
  strictEqual(fake.trace.failures.length, 2);
  await fake.jobs[Symbol.asyncDispose]();
});

Deno.test("idempotency() finds first answers, and the jobs of keys, of an earlier server", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const whole = () => keyed("whole", json(drawing, { accept: "image/png" }));
  const waiting = () => keyed("waiting", json(drawing, { prefer: "wait=60" }));
  const dead = () => keyed("dead", json(drawing));

  const first = fakeApp(runAtOnce, path);
  const { body } = await wholeOf(
    await first.app.request("/v1/generate", whole()),
  );
  await first.jobs[Symbol.asyncDispose]();

  const second = fakeApp(runUntilAborted, path);
  const leave = new AbortController();
  const left = second.app.request("/v1/generate", {
    ...dead(),
    signal: leave.signal,
  });
  // Its first answer is never sent.
  const cut = second.app.request("/v1/generate", waiting());
  while ((await list(second.app)).length === 0) await settle();
  const id = (await list(second.app))[0]?.id;
  await second.jobs[Symbol.asyncDispose]();
  strictEqual((await cut).status, 202);

  const third = fakeApp(runAtOnce, path);
  const again = await third.app.request("/v1/generate", whole());
  strictEqual(again.headers.get("idempotency-replayed"), "true");
  strictEqual(again.headers.get("content-type"), "image/png");
  strictEqual((await wholeOf(again)).body, body);
  const job = await third.app.request("/v1/generate", waiting());
  strictEqual(job.status, 202);
  strictEqual((await job.json()).id, id);
  strictEqual((await list(third.app)).length, 1);
  const free = await third.app.request("/v1/generate", dead());
  strictEqual(free.status, 200);
  strictEqual(free.headers.get("idempotency-replayed"), null);
  await free.text();
  await third.jobs[Symbol.asyncDispose]();
  leave.abort();
  await (await left).text();
});

function list(app: ReturnType<typeof fakeApp>["app"]) {
  return new JobClient((path, init) => app.request(path, init)).list();
}
