import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { JobConflictError } from "../../../functions/http/errors/errors.ts";
import {
  type JobDesk,
  jobOf,
  NEVER,
  openDesk,
  order,
  problem,
  replay,
  settle,
} from "../../support/job_desk.ts";
import { newJob } from "../../support/job_tables.ts";

const row = (index: number) => ({
  event: "row",
  data: { "image_index": 0, index },
});
const started = { event: "started", data: { n: 1, rows: 2 } };

function statusOf({ tables }: JobDesk, id: string): string | undefined {
  return tables.jobs.find(id)?.status;
}

Deno.test("JobRunner executes a job as its request, with its own id and seed", async () => {
  await using desk = openDesk();
  const { id, seed } = await desk.accepted();
  const { request, call } = desk.calls.get(id)!;
  strictEqual(new URL(request.url).pathname, "/v1/generate");
  strictEqual(new URL(request.url).search, "?x=1");
  strictEqual(request.method, "POST");
  strictEqual(request.headers.get("accept"), "image/png");
  strictEqual(request.headers.get("x-request-id"), id);
  deepStrictEqual(await request.bytes(), Uint8Array.of(1, 2, 3));
  strictEqual(call.id, id);
  strictEqual(call.seed, seed);
  deepStrictEqual(call.resumeStates, []);
});

Deno.test("JobRunner moves a job from queued through running to succeeded", async () => {
  await using desk = openDesk();
  const { id, status } = await desk.accepted();
  strictEqual(status, "queued");
  const { call, answer } = desk.calls.get(id)!;
  call.observer!.event!(started);
  strictEqual(statusOf(desk, id), "running");
  call.observer!.event!(row(0));
  call.observer!.event!({ event: "completed", data: { whole: true } });
  answer(new Response("text", { headers: { "x-seed": "7", "x-other": "1" } }));
  await desk.runner.settled(id, NEVER);
  strictEqual(statusOf(desk, id), "succeeded");
  deepStrictEqual(desk.statuses, ["running", "succeeded"]);
  const { headers, body } = desk.tables.jobs.answerOf(id)!;
  deepStrictEqual(headers, {
    "content-type": "text/plain;charset=UTF-8",
    "x-seed": "7",
  });
  strictEqual(new TextDecoder().decode(body), "text");
  const events = await replay(desk.runner, id);
  deepStrictEqual(
    events.map(({ id, event }) => `${id} ${event}`),
    ["1 queued", "2 started", "3 row", "4 completed"],
  );
  strictEqual(events.at(-1)?.data, '{"whole":true}');
});

Deno.test("JobRunner stores the answer as the event of a job without events", async () => {
  await using desk = openDesk();
  const submitted = desk.runner.submit(order());
  const [call] = [...desk.calls.values()];
  call!.answer(Response.json({ tokens: [1] }));
  const { id } = jobOf(await submitted);
  const [event] = await replay(desk.runner, id);
  deepStrictEqual(event, {
    id: 1,
    event: "completed",
    data: '{"tokens":[1]}',
  });
});

Deno.test("JobRunner.submit() stores no job for an immediate refusal", async () => {
  await using desk = openDesk();
  const submitted = desk.runner.submit(order());
  const [call] = [...desk.calls.values()];
  const refusal = problem(422, "invalid-fields");
  call!.answer(refusal);
  deepStrictEqual(await submitted, { type: "refused", answer: refusal });
  await settle();
  deepStrictEqual(desk.tables.queries.all("SELECT * FROM jobs"), []);
  strictEqual(desk.runner.size, 0);
  strictEqual(desk.clock.waiting(), 0);
});

Deno.test("JobRunner.submit() stores no job for a refusal, however late it comes", async () => {
  await using desk = openDesk();
  let decided = false;
  const submitted = desk.runner.submit(order()).finally(() => decided = true);
  const [call] = [...desk.calls.values()];
  desk.clock.pass(86_400_000);
  await settle();
  deepStrictEqual([decided, desk.clock.waiting()], [false, 0]);
  call!.answer(problem(422, "invalid-fields"));
  strictEqual((await submitted).type, "refused");
  await settle();
  deepStrictEqual(desk.tables.queries.all("SELECT * FROM jobs"), []);
});

Deno.test("JobRunner fails a job that is refused after it was accepted", async () => {
  await using desk = openDesk();
  const submitted = desk.runner.submit(order());
  const [call] = [...desk.calls.values()];
  call!.call.observer!.accepted!();
  const { id } = jobOf(await submitted);
  call!.call.observer!.accepted!();
  call!.answer(problem(422, "invalid-fields"));
  await desk.runner.settled(id, NEVER);
  const { status, error } = desk.tables.jobs.find(id)!;
  strictEqual(status, "failed");
  strictEqual(error?.title, "invalid-fields");
  const [event] = await replay(desk.runner, id);
  strictEqual(event?.event, "error");
});

Deno.test("JobRunner fails a job that had started, even if it fails at once", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  desk.calls.get(id)!.answer(problem(500, "internal"));
  await desk.runner.settled(id, NEVER);
  strictEqual(statusOf(desk, id), "failed");
});

Deno.test("JobRunner fails the job of a handler that throws, and reports the error", async () => {
  const error = new RangeError("a bug");
  await using desk = openDesk({
    execute: () => Promise.reject(error),
    pageBase: "https://emu3.example",
  });
  const { id } = jobOf(await desk.runner.submit(order()));
  const { status, error: told } = desk.tables.jobs.find(id)!;
  strictEqual(status, "failed");
  strictEqual(told?.error.code, "internal");
  strictEqual(told?.type, "https://emu3.example/problems/internal");
  strictEqual(told?.instance, "/v1/generate");
  deepStrictEqual(desk.failures, [error]);
});

Deno.test("JobRunner retries a job for as long as there is no room", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  for (let i = 0; i < 3; i++) {
    desk.calls.get(id)!.answer(problem(503, "overloaded"));
    await settle();
    strictEqual(statusOf(desk, id), "queued");
    strictEqual(desk.runner.size, 1);
    strictEqual(desk.calls.size, 0);
    desk.clock.pass(1000);
    await settle();
  }
  desk.calls.get(id)!.answer(new Response("ok"));
  await desk.runner.settled(id, NEVER);
  strictEqual(statusOf(desk, id), "succeeded");
});

Deno.test("JobRunner retries a job after its Retry-After", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const overloaded = problem(503, "overloaded");
  overloaded.headers.set("retry-after", "9");
  desk.calls.get(id)!.answer(overloaded);
  await settle();
  desk.clock.pass(8999);
  await settle();
  strictEqual(desk.calls.size, 0);
  desk.clock.pass(1);
  await settle();
  strictEqual(desk.calls.size, 1);
});

Deno.test("JobRunner fails a job whose model cannot be loaded without waiting", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  desk.calls.get(id)!.answer(problem(503, "not-ready", false));
  await desk.runner.settled(id, NEVER);
  strictEqual(statusOf(desk, id), "failed");
  throws(
    () => desk.runner.resume(desk.tables.jobs.find(id)!),
    JobConflictError,
  );
});

Deno.test("JobRunner.cancel() ends a job at once while it waits for room", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  desk.calls.get(id)!.answer(problem(503, "overloaded"));
  await settle();
  await desk.runner.cancel(id);
  strictEqual(statusOf(desk, id), "canceled");
  strictEqual(desk.runner.size, 0);
  strictEqual(desk.clock.waiting(), 0);
});

for (const begun of [false, true]) {
  Deno.test(`JobRunner.cancel() cancels a job that ${begun ? "runs" : "waits"} once`, async () => {
    await using desk = openDesk();
    const { id } = await desk.accepted();
    if (begun) desk.calls.get(id)!.call.observer!.event!(started);
    await Promise.all([desk.runner.cancel(id), desk.runner.cancel(id)]);
    await desk.runner.cancel(id);
    strictEqual(statusOf(desk, id), "canceled");
    const events = await replay(desk.runner, id);
    const ends = events.filter(({ event }) => event === "canceled");
    strictEqual(ends.length, 1);
    strictEqual(
      desk.statuses.filter((status) => status === "canceled").length,
      1,
    );
    throws(
      () => desk.runner.resume(desk.tables.jobs.find(id)!),
      JobConflictError,
    );
  });
}

Deno.test("JobRunner.cancel() ends an interrupted job, once", async () => {
  await using desk = openDesk();
  desk.tables.jobs.insert(newJob("a"));
  desk.tables.jobs.start("a", 1);
  desk.runner.recover();
  strictEqual(statusOf(desk, "a"), "interrupted");
  await desk.runner.cancel("a");
  await desk.runner.cancel("a");
  strictEqual(statusOf(desk, "a"), "canceled");
  deepStrictEqual(desk.statuses, ["interrupted", "canceled"]);
});

for (const retryable of [false, true]) {
  Deno.test(`JobRunner.cancel() keeps a job failed${retryable ? ", for now" : ""}`, async () => {
    await using desk = openDesk();
    const { id } = await desk.accepted();
    desk.calls.get(id)!.call.observer!.event!(started);
    desk.calls.get(id)!.answer(problem(504, "deadline", retryable));
    await desk.runner.settled(id, NEVER);
    await desk.runner.cancel(id);
    strictEqual(statusOf(desk, id), "failed");
  });
}

Deno.test("JobRunner.cancel() ignores an unknown job", async () => {
  await using desk = openDesk();
  await desk.runner.cancel("nothing");
  deepStrictEqual(desk.statuses, []);
});

Deno.test("JobRunner.cancel() keeps an answer that came before", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  desk.calls.get(id)!.answer(new Response("ok"));
  await desk.runner.cancel(id);
  strictEqual(statusOf(desk, id), "succeeded");
});

Deno.test("JobRunner.events() yields preview pictures, and none in a replay", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const { call, answer } = desk.calls.get(id)!;
  strictEqual(call.watched!(), false);
  const leave = desk.runner.readers.enter("a", id);
  strictEqual(call.watched!(), true);
  const reading = desk.runner.events(id, 0, NEVER);
  await reading.next();
  const preview = { "b64_json": "AA==" };
  const { event, data } = row(0);
  call.observer!.event!({ event, data: { ...data, preview } });
  const live = (await reading.next()).value!;
  deepStrictEqual(JSON.parse(live.data), { ...data, preview });
  answer(new Response("{}"));
  await desk.runner.settled(id, NEVER);
  leave();
  const replayed = await replay(desk.runner, id, live.id - 1);
  deepStrictEqual(replayed[0], { ...live, data: JSON.stringify(data) });
});

Deno.test("JobRunner.events() shares an event among its readers", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const [first, second] = [0, 0].map((after) =>
    desk.runner.events(id, after, NEVER)
  );
  const one = (await first!.next()).value;
  strictEqual((await second!.next()).value, one);
});
