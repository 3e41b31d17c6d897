// deno-lint-ignore-file camelcase -- names of the wire
/** The worker on an emulated queue, with a clock that tests set. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { InFlight } from "../../../functions/shutdown/in_flight.ts";
import { MAX_OUTPUT_BYTES } from "../../../deploy/runpod/job_result.ts";
import { problem, settle } from "../../support/job_desk.ts";
import { openRunpodDesk } from "../../support/runpod/desk.ts";

const fox = { prompt: "a fox" };

/** Returns the problem that a job failed with. */
// deno-lint-ignore no-explicit-any
const problemIn = (error: string | undefined): any => JSON.parse(error!);

Deno.test("RunpodWorker takes a job, runs it as a request, and delivers its result", async () => {
  await using desk = openRunpodDesk();
  const [job, { request, call, answer }] = await desk.begun(fox);
  strictEqual(new URL(request.url).pathname, "/v1/generate");
  deepStrictEqual(await request.json(), fox);
  strictEqual(request.headers.get("x-request-id"), job.id);
  deepStrictEqual([call.id, call.seed], [job.id, 42]);
  answer(Response.json({ seed: 1 }));
  await settle();
  deepStrictEqual([job.status, job.output], ["COMPLETED", { seed: 1 }]);
  deepStrictEqual([job.takes, job.results], [1, 1]);
  strictEqual(desk.worker.size, 0);
});

Deno.test("RunpodWorker takes jobs for all free rows in one poll", async () => {
  await using desk = openRunpodDesk({ rows: 6 });
  const jobs = Array.from({ length: 5 }, () => desk.emulator.queue.add(fox));
  await desk.pass(200, 100);
  strictEqual(desk.calls.size, 3);
  ok(
    desk.asked.some((path) =>
      /\/job-take-batch\/.*&batch_size=3&job_in_progress=0$/.test(path)
    ),
  );
  desk.calls.get(jobs[1]!.id)!.answer(Response.json(1));
  await settle();
  strictEqual(desk.calls.size, 3);
  ok(
    desk.asked.some((path) =>
      /\/job-take\/pod1\?gpu=NVIDIA\+H100&job_in_progress=1$/.test(path)
    ),
  );
  for (const { answer } of [...desk.calls.values()]) answer(Response.json(1));
  await desk.pass(200, 100);
  for (const { answer } of [...desk.calls.values()]) answer(Response.json(1));
  await settle();
  ok(jobs.every(({ status, takes }) => status === "COMPLETED" && takes === 1));
});

Deno.test("RunpodWorker takes more jobs that answer than jobs that draw", async () => {
  await using desk = openRunpodDesk({ rows: 4 });
  for (let i = 0; i < 9; i++) desk.emulator.queue.add({ image: "x" });
  await desk.pass(2000, 100);
  // Three take a row each; with one row left a picture would have to wait.
  strictEqual(desk.calls.size, 3);
});

Deno.test("RunpodWorker delivers an answer that is not JSON in its own type", async () => {
  await using desk = openRunpodDesk();
  const [plain, { answer }] = await desk.begun(fox);
  answer(new Response("a fox", { headers: { "content-type": "text/plain" } }));
  const [png, other] = await desk.begun({ ...fox, accept: "image/png" });
  other.answer(
    new Response(new Uint8Array([1, 2]), {
      headers: { "content-type": "image/png", "x-seed": "7" },
    }),
  );
  await settle();
  deepStrictEqual(plain.output, { mime_type: "text/plain", text: "a fox" });
  const file = { mime_type: "image/png", b64_json: "AQI=", seed: 7 };
  deepStrictEqual(png.output, file);
});

Deno.test("RunpodWorker delivers a problem as an error with the problem document", async () => {
  await using desk = openRunpodDesk();
  const [job, { answer }] = await desk.begun(fox);
  answer(problem(422, "invalid-fields"));
  await settle();
  strictEqual(job.status, "FAILED");
  strictEqual(problemIn(job.error).status, 422);
});

Deno.test("RunpodWorker fails an invalid input with a clear error", async () => {
  await using desk = openRunpodDesk();
  for (const input of [{}, "a fox", { function: "paint" }, null]) {
    const job = desk.emulator.queue.add(input);
    await desk.pass(200, 100);
    strictEqual(job.status, "FAILED");
    const { error, errors, request_id: id } = problemIn(job.error);
    strictEqual(error.code, "invalid-fields");
    match(errors[0].pointer, /^\/input/);
    strictEqual(id, job.id);
  }
});

Deno.test("RunpodWorker reports the newest progress once a second, never after the answer", async () => {
  await using desk = openRunpodDesk();
  const [job, { call, answer }] = await desk.begun(fox);
  const row = (index: number) =>
    call.observer!.event!({ event: "row", data: { index, codes: [] } });
  call.observer!.event!({ event: "started", data: { n: 1, rows: 4 } });
  row(0);
  await settle();
  deepStrictEqual(job.output, { done: 1, total: 4 });
  row(1);
  row(2);
  await settle();
  deepStrictEqual(job.output, { done: 1, total: 4 });
  await desk.pass(1000);
  deepStrictEqual(job.output, { done: 3, total: 4 });
  row(3);
  answer(Response.json("drawn"));
  await settle();
  const told = desk.asked.length;
  strictEqual(job.output, "drawn");
  await desk.pass(3000);
  ok(desk.asked.slice(told).every((path) => !path.includes("job-done")));
});

Deno.test("RunpodWorker streams parts before the answer, in order, with text merged", async () => {
  await using desk = openRunpodDesk();
  const input = { image: "x", stream: true };
  const [job, { call, answer }] = await desk.begun(input);
  call.observer!.event!({ event: "queued", data: { position: 0 } });
  for (const text of ["a", " fox"]) {
    call.observer!.event!({ event: "delta", data: { text } });
  }
  call.observer!.event!({ event: "completed", data: { text: "a fox" } });
  answer(Response.json({ text: "a fox" }));
  await settle();
  deepStrictEqual(job.parts, [
    { event: "queued", data: { position: 0 } },
    { event: "delta", data: { text: "a fox" } },
  ]);
  deepStrictEqual(job.output, { text: "a fox" });
  ok(desk.asked.some((path) => /job-done.*isStream=true$/.test(path)));
});

Deno.test("RunpodWorker streams OpenAI's events as text, whole events at a time", async () => {
  await using desk = openRunpodDesk();
  const input = { openai_route: "/v1/chat/completions", openai_input: {} };
  const [job, { answer }] = await desk.begun(input);
  const pieces = ["data: {", '"a":1}\n\ndata: 2\n\nda', "ta: [DONE]\n\n"];
  const body = ReadableStream.from(
    pieces.map((piece) => new TextEncoder().encode(piece)),
  );
  answer(
    new Response(body, { headers: { "content-type": "text/event-stream" } }),
  );
  await settle();
  strictEqual(job.status, "COMPLETED");
  strictEqual(job.parts.join(""), pieces.join(""));
  strictEqual((job.output as string[]).join(""), pieces.join(""));
});

Deno.test("RunpodWorker answers with a remedy if RunPod refuses the size", async () => {
  await using desk = openRunpodDesk();
  const [job, { answer }] = await desk.begun(fox);
  answer(Response.json("x".repeat(MAX_OUTPUT_BYTES)));
  await settle();
  strictEqual(job.status, "FAILED");
  const { error, detail } = problemIn(job.error);
  strictEqual(error.code, "answer-too-large");
  match(detail, /20000000.*image\/jpeg.*application\/octet-stream/);
});

Deno.test("RunpodWorker sends a long event by its name, and splits a long text", async () => {
  await using desk = openRunpodDesk();
  const [job, { call, answer }] = await desk.begun({ ...fox, stream: true });
  call.observer!.event!({
    event: "image",
    data: { b64_json: "x".repeat(2 ** 20) },
  });
  answer(Response.json(1));
  const input = { openai_route: "/v1/x", openai_input: {} };
  const [other, streamed] = await desk.begun(input);
  const text = `data: ${"x".repeat(10 ** 6)}\n\n`;
  streamed.answer(
    new Response(text, { headers: { "content-type": "text/event-stream" } }),
  );
  await settle();
  deepStrictEqual(job.parts, [{ event: "image", data: null }]);
  strictEqual(other.parts.join(""), text);
  ok(other.parts.length > 1);
});

Deno.test("RunpodWorker ends a canceled job at once, alone, without an answer", async () => {
  await using desk = openRunpodDesk();
  const [job, { request }] = await desk.begun(fox);
  const [other] = await desk.begun(fox);
  desk.emulator.queue.cancel(job);
  await settle();
  ok(request.signal.aborted);
  deepStrictEqual([...desk.calls.keys()], [other.id]);
  await desk.pass(1000);
  deepStrictEqual([job.status, job.results], ["CANCELLED", 0]);
});

Deno.test("RunpodWorker stops a job at its execution timeout", async () => {
  await using desk = openRunpodDesk();
  const job = desk.emulator.queue.add(fox, { executionMs: 3000 });
  await desk.pass(5000);
  deepStrictEqual([job.status, desk.calls.size], ["TIMED_OUT", 0]);
});

Deno.test("RunpodWorker does not run an expired job", async () => {
  await using desk = openRunpodDesk({ rows: 2 });
  await desk.begun(fox);
  const job = desk.emulator.queue.add(fox, { ttlMs: 3000 });
  await desk.pass(5000);
  deepStrictEqual([job.status, job.takes], ["TIMED_OUT", 0]);
});

Deno.test("RunpodWorker runs a job that is delivered twice once", async () => {
  let again = false;
  let twice = 0;
  await using desk = openRunpodDesk({
    fault: (call) => {
      if (call !== "take" || !again) return undefined;
      again = false;
      twice++;
      return "twice";
    },
  });
  const [job, first] = await desk.begun(fox);
  again = true;
  // The current poll is answered, and the next one with the first job.
  const [other] = await desk.begun(fox);
  await desk.pass(1000, 100);
  strictEqual(twice, 1);
  strictEqual(desk.calls.get(job.id), first);
  strictEqual(desk.worker.size, 2);
  first.answer(Response.json("drawn"));
  desk.calls.get(other.id)!.answer(Response.json("drawn"));
  await settle();
  deepStrictEqual([job.results, other.results], [1, 1]);
});

Deno.test("RunpodWorker waits five seconds after 429, and counts no failure", async () => {
  let busy = true;
  await using desk = openRunpodDesk({
    fault: (call) => call === "take" && busy ? 429 : undefined,
  });
  await settle();
  busy = false;
  const job = desk.emulator.queue.add(fox);
  await desk.pass(4000);
  strictEqual(job.takes, 0);
  await desk.pass(1000);
  strictEqual(job.takes, 1);
  deepStrictEqual(desk.failures, []);
});

Deno.test("RunpodWorker retries an overloaded request after its Retry-After", async () => {
  await using desk = openRunpodDesk();
  const [job, { answer }] = await desk.begun(fox);
  const full = problem(503, "overloaded");
  full.headers.set("retry-after", "7");
  answer(full);
  await settle();
  await desk.pass(6000);
  strictEqual(desk.calls.size, 0);
  await desk.pass(1000);
  desk.calls.get(job.id)!.answer(Response.json("drawn"));
  await settle();
  deepStrictEqual([job.status, job.output], ["COMPLETED", "drawn"]);
});

Deno.test("RunpodWorker pings with its running jobs, and the queue requeues none", async () => {
  await using desk = openRunpodDesk();
  const [job] = await desk.begun(fox);
  await desk.pass(200_000);
  deepStrictEqual([job.takes, desk.emulator.queue.retried], [1, 0]);
  ok(
    desk.asked.some((path) =>
      path.includes(
        `/ping/pod1?gpu=NVIDIA+H100&job_id=${job.id}&runpod_version=`,
      )
    ),
  );
});

Deno.test("RunpodWorker.shutdown() stops taking jobs, and finishes running ones", async () => {
  await using desk = openRunpodDesk();
  const [job, { answer }] = await desk.begun(fox);
  const down = desk.worker.shutdown();
  const late = desk.emulator.queue.add(fox);
  await desk.pass(5000);
  deepStrictEqual([late.status, desk.worker.size], ["IN_QUEUE", 1]);
  answer(Response.json("drawn"));
  await down;
  deepStrictEqual([job.status, late.takes], ["COMPLETED", 0]);
});

Deno.test("RunpodWorker.shutdown() still cancels jobs", async () => {
  await using desk = openRunpodDesk();
  const [job] = await desk.begun(fox);
  const down = desk.worker.shutdown();
  desk.emulator.queue.cancel(job);
  await down;
  deepStrictEqual([job.status, job.results], ["CANCELLED", 0]);
});

/** Returns a picture in flight: 8 × 2 codes, of which two rows are drawn. */
function inFlight(): InFlight {
  return {
    request: { path: "/v1/generate", fields: { ...fox, height: 64 } },
    seed: 42,
    remainingMs: () => 5000,
    resumeStates: () => [],
    rows: () => ({ height: 2, width: 2, codes: Uint16Array.of(1, 2, 3, 4) }),
  };
}

Deno.test("RunpodWorker returns unfinished jobs with their resume input", async () => {
  const desk = openRunpodDesk();
  const [job, { call }] = await desk.begun({ ...fox, height: 64 });
  call.observer!.inFlight!(inFlight());
  const [answering] = await desk.begun({ image: "x" });
  deepStrictEqual(
    desk.worker.works.map(({ remainingMs }) => remainingMs()),
    [5000, undefined],
  );
  for (const { interrupt } of desk.worker.works) interrupt();
  await settle();
  await desk[Symbol.asyncDispose]();
  for (const { status, results } of [job, answering]) {
    deepStrictEqual([status, results], ["FAILED", 1]);
  }
  const { error, retryable, state, resume } = problemIn(job.error);
  deepStrictEqual([error.code, retryable], ["interrupted", true]);
  const prefix = { height: 2, width: 2, codes: [[1, 2], [3, 4]] };
  deepStrictEqual(state, { seed: 42, images: [{ prefix }] });
  deepStrictEqual(resume, {
    route: "/v1/generate",
    method: "POST",
    body: { ...fox, height: 64, seed: 42, prefix },
  });
  strictEqual(problemIn(answering.error).resume, undefined);
});

Deno.test("RunpodWorker delivers its jobs before its disposal resolves", async () => {
  const desk = openRunpodDesk();
  const [job] = await desk.begun(fox);
  await desk[Symbol.asyncDispose]();
  strictEqual(problemIn(job.error).error.code, "interrupted");
  deepStrictEqual([desk.worker.size, desk.worker.works], [0, []]);
});

Deno.test("RunpodWorker reports a failed model, and stops taking jobs", async () => {
  let healthy = true;
  await using desk = openRunpodDesk({ isHealthy: () => healthy });
  const [job, { answer }] = await desk.begun(fox);
  healthy = false;
  answer(problem(503, "not-ready"));
  await desk.pass(1000);
  strictEqual(job.status, "FAILED");
  strictEqual(desk.emulator.queue.workers.get("pod1")!.stopped, true);
  strictEqual(desk.worker.takesJobs, false);
});

Deno.test("RunpodWorker stops after unexpected errors in a row", async () => {
  await using desk = openRunpodDesk();
  const state = () => desk.emulator.queue.workers.get("pod1")!.stopped;
  const internal = () =>
    Response.json({ error: { code: "internal" } }, { status: 500 });
  for (const response of [internal(), internal(), Response.json(1)]) {
    const [, { answer }] = await desk.begun(fox);
    answer(response);
    await settle();
  }
  strictEqual(state(), false);
  for (let i = 0; i < 3; i++) {
    strictEqual(state(), false);
    const [, { answer }] = await desk.begun(fox);
    answer(internal());
    await settle();
  }
  strictEqual(state(), true);
});
