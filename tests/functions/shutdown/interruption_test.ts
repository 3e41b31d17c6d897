/** The interruption of requests on every surface, and their continuation. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { Drain } from "../../../functions/middleware/drain.ts";
import { IN_MEMORY } from "../../../functions/jobs/store/database.ts";
import { StoreFullError } from "../../../functions/jobs/store/queries.ts";
import { WORTH_CODES } from "../../../functions/jobs/recorder.ts";
import { atChoice } from "../../support/at_choice.ts";
import { describedBy } from "../../support/described.ts";
import { JobClient } from "../../support/job_client.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { listen } from "../../support/tiny_http.ts";
import {
  bytes,
  json,
  openTinyServer,
  parseEvents,
  type TinyServer,
} from "../../support/tiny_server.ts";
import { until } from "../../support/until.ts";

const folder = temporaryFolder();
const drain = new Drain();
const path = join(folder.path, "jobs.sqlite");
const server = await openTinyServer({}, { drain }, { path });
const { app, trace } = server;
const client = new JobClient((path, init) => app.request(path, init));
globalThis.addEventListener("unload", async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The request of 16 rows of 8 codes, drawn one by one. */
const picture = {
  prompt: "a fox",
  height: 128,
  width: 64,
  seed: 3,
  strategy: "autoregressive",
};
const asked = await (await app.request("/v1/generate", json(picture))).json();
const codes: number[][] = asked.images[0].grid.codes;

/** Interrupts all requests once the next one has chosen `count` tokens. */
function interruptAt(
  count: number,
  drain: Drain,
  { services }: TinyServer,
): Promise<void> {
  const { engine } = services.imageGenerator(undefined).language;
  return atChoice(engine, count, () => {
    for (const work of drain.works) work.interrupt();
  });
}

/** Tokens of six of the rows of `picture`, with the ends of rows. */
const SIX_ROWS = 6 * 9;

/** Returns the answer to a request that is interrupted amid its rows. */
async function interrupted(
  path: string,
  init: RequestInit,
  on: TinyServer = server,
  draining = drain,
): Promise<Response> {
  const amid = interruptAt(SIX_ROWS, draining, on);
  const answer = Promise.resolve(on.app.request(path, init));
  await amid;
  return await answer;
}

// deno-lint-ignore no-explicit-any -- JSON
async function resumed(id: string): Promise<any> {
  strictEqual((await client.get(id)).status, "interrupted");
  strictEqual((await client.resume(id)).status, 202);
  const { status, result } = await client.ended(id);
  strictEqual(status, "succeeded");
  return result;
}

Deno.test("interruption() resumes a picture as a job, and by its rows on any server", async () => {
  const answer = await interrupted("/v1/generate", json(picture));
  await (await describedBy(app)).check("POST", "/v1/generate", answer.clone());
  strictEqual(answer.status, 503);
  const problem = await answer.json();
  const { job, resume, state } = problem;
  strictEqual(problem.type, "/problems/interrupted");
  ok(problem.retryable);
  strictEqual(answer.headers.get("location"), `/v1/jobs/${job}`);
  strictEqual(answer.headers.get("retry-after"), "1");
  strictEqual(resume, `/v1/jobs/${job}/resume`);
  match(problem.error.message, new RegExp(`POST ${resume} `));

  strictEqual(state.seed, picture.seed);
  const [{ prefix }] = state.images;
  ok(prefix.height > 0);
  deepStrictEqual(prefix.codes, codes.slice(0, prefix.height));
  const again = await app.request("/v1/generate", json({ ...picture, prefix }));
  const { images } = await again.json();
  deepStrictEqual(images[0].grid.codes, codes);

  const result = await resumed(job);
  deepStrictEqual(result.images[0].grid.codes, codes);
  strictEqual(result.images[0].b64_json, asked.images[0].b64_json);
});

Deno.test("interruption() reports a random seed, which repeats the picture", async () => {
  const { seed: _seed, ...open } = picture;
  const answer = await interrupted("/v1/generate", json(open));
  const { job, state: { seed } } = await answer.json();
  const again = await app.request("/v1/generate", json({ ...open, seed }));
  const { images } = await again.json();
  deepStrictEqual((await resumed(job)).images[0].grid, images[0].grid);
});

Deno.test("interruption() of a file resumes to the same file", async () => {
  const init = json(picture, { accept: "image/png" });
  const { job } = await (await interrupted("/v1/generate", init)).json();
  const result = await resumed(job);
  strictEqual(result.mime_type, "image/png");
  strictEqual(result.b64_json, asked.images[0].b64_json);
});

Deno.test("interruption() ends events with an error that names the job", async () => {
  const init = json(picture, { accept: "text/event-stream" });
  const answer = await interrupted("/v1/generate", init);
  strictEqual(answer.status, 200);
  const events = parseEvents(await answer.text());
  const { event, data } = events.at(-1)!;
  strictEqual(event, "error");
  deepStrictEqual((await resumed(data.job)).images[0].grid.codes, codes);
});

Deno.test("interruption() of OpenAI's pictures resumes to whole pictures, also for streams", async () => {
  const ask = { prompt: "a fox", size: "1024x1024", seed: 3, n: 8 };
  const path = "/v1/images/generations";
  const whole = await (await app.request(path, json(ask))).json();
  const stream = { ...ask, stream: true, "partial_images": 0 };
  for (const body of [ask, stream]) {
    const answer = await interrupted(path, json(body));
    const text = await answer.text();
    const problem = body === ask ? JSON.parse(text) : parseEvents(text).at(-1);
    const { job } = problem.data ?? problem;
    deepStrictEqual((await resumed(job)).data, whole.data);
  }
});

Deno.test("interruption() repeats an answer, in any form of its pictures", async () => {
  const png = Uint8Array.fromBase64(asked.images[0].b64_json);
  const question = "?question=what%3F&max_tokens=700";
  const init = bytes(png, "image/png");
  const url = `/v1/caption${question}`;
  const whole = await (await app.request(url, init)).json();
  const amid = interruptAt(9, drain, server);
  const answer = Promise.resolve(app.request(url, init));
  await amid;
  const { job, state } = await (await answer).json();
  deepStrictEqual(state.images, []);
  strictEqual((await resumed(job)).text, whole.text);
});

Deno.test("interruption() turns an inference of tensors into a job of generate", async () => {
  const answer = await interrupted(
    "/v2/models/generate/infer",
    json({
      inputs: [{
        name: "prompt",
        datatype: "BYTES",
        shape: [1],
        data: ["a fox"],
      }],
      parameters: { ...picture, prompt: undefined },
    }),
  );
  strictEqual(answer.status, 503);
  const { job, error } = await answer.json();
  match(error, /^Cannot finish: the server is shutting down/);
  deepStrictEqual((await resumed(job)).images[0].grid.codes, codes);
});

Deno.test("interruption() names the job in a tool's result", async () => {
  const call = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "generate_image", arguments: picture },
  };
  const accept = "application/json, text/event-stream";
  const answer = await interrupted("/mcp", json(call, { accept }));
  const text = await answer.text();
  const [, job] = /POST \/v1\/jobs\/(job-[0-9a-f-]+)\/resume/.exec(text)!;
  deepStrictEqual((await resumed(job!)).images[0].grid.codes, codes);
});

Deno.test("interruption() does not start, or wait for, an unfinished body", async () => {
  const answer = Promise.resolve(app.request("/v1/generate", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new ReadableStream(),
  }));
  await until(() => drain.works.length > 0);
  for (const work of drain.works) work.interrupt();
  const problem = await (await answer).json();
  strictEqual(problem.error.code, "interrupted");
  strictEqual(problem.job, undefined);
  strictEqual(problem.state, undefined);
  match(problem.detail, /retry the request$/);
});

Deno.test("interruption() keeps a request whose reader does not read", async () => {
  await using http = await listen(app);
  const init = json({ ...picture, logprobs: 8 }, {
    accept: "text/event-stream",
  });
  const before = (await client.list()).length;
  const amid = interruptAt(SIX_ROWS, drain, server);
  const { body } = await fetch(`${http.url}/v1/generate`, init);
  await amid;
  const kept = await client.list();
  strictEqual(kept.length, before + 1);
  strictEqual(kept[0]!.status, "interrupted");
  await body!.cancel();
  await until(() => drain.works.length === 0);
});

Deno.test("interruption() stores the resume state of a large picture", async () => {
  const large = { ...picture, height: 768, width: 128 };
  const init = json(large, { accept: "text/event-stream" });
  // Rows count once they are read, which takes a few steps.
  const rows = WORTH_CODES / 16 + 16;
  const amid = interruptAt(17 * rows, drain, server);
  const answer = await app.request("/v1/generate", init);
  const [text] = await Promise.all([answer.text(), amid]);
  const { job, state } = parseEvents(text).at(-1)!.data;
  const { codes } = server.jobs.store.resumeStatesOf(job)[0]!;
  ok(codes.length >= WORTH_CODES);
  const given = state.images[0].prefix.codes.flat();
  deepStrictEqual([...codes.subarray(0, given.length)], given);
});

Deno.test("interruption() without a lasting store reports the resume state alone", async () => {
  const drain = new Drain();
  await using server = await openTinyServer({}, { drain }, { path: IN_MEMORY });
  const init = json(picture);
  const answer = await interrupted("/v1/generate", init, server, drain);
  const { job, state, detail } = await answer.json();
  strictEqual(job, undefined);
  strictEqual(answer.headers.get("location"), null);
  match(detail, /retry the request with seed 3 for the same result$/);
  ok(state.images[0].prefix.height > 0);
});

Deno.test("interruption() logs a failing store, and reports the resume state", async () => {
  using folder = temporaryFolder();
  const drain = new Drain();
  const path = join(folder.path, "jobs.sqlite");
  await using server = await openTinyServer({}, { drain }, { path });
  const full = new StoreFullError();
  Object.assign(server.jobs.store, {
    insert: () => {
      throw full;
    },
  });
  const init = json(picture);
  const answer = await interrupted("/v1/generate", init, server, drain);
  const { job, state } = await answer.json();
  strictEqual(job, undefined);
  strictEqual(state.seed, 3);
  deepStrictEqual(server.trace.failures, [full]);
});

Deno.test("interruption() causes no unexpected errors, and leaves no work", () => {
  deepStrictEqual(trace.failures, []);
  strictEqual(drain.works.length, 0);
});
