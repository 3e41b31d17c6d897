import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { join } from "node:path";
import { OverloadedError } from "../../../lib/errors.ts";
import {
  DrainingError,
  JobConflictError,
} from "../../../functions/http/errors/errors.ts";
import { StoreFullError } from "../../../functions/jobs/store/queries.ts";
import {
  type JobDesk,
  jobOf,
  NEVER,
  openDesk,
  order,
  replay,
  settle,
} from "../../support/job_desk.ts";
import { newJob, openTables, success } from "../../support/job_tables.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const row = (index: number) => ({
  event: "row",
  data: { "image_index": 0, index },
});
const started = { event: "started", data: { n: 1, rows: 2 } };

function statusOf({ tables }: JobDesk, id: string): string | undefined {
  return tables.jobs.find(id)?.status;
}

Deno.test("JobRunner interrupts running jobs when disposed, and leaves queued ones to the next", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const first = openDesk({ tables: openTables(path) });
  const waits = await first.accepted();
  const runs = await first.accepted();
  first.calls.get(runs.id)!.call.observer!.event!(started);
  await first.runner[Symbol.asyncDispose]();
  await rejects(() => first.runner.submit(order()), DrainingError);
  first.runner.recover();
  strictEqual(first.runner.size, 0);
  first.tables[Symbol.dispose]();

  await using next = openDesk({ tables: openTables(path) });
  strictEqual(statusOf(next, waits.id), "queued");
  strictEqual(statusOf(next, runs.id), "interrupted");
  next.runner.recover();
  deepStrictEqual([...next.calls.keys()], [waits.id]);
  next.calls.get(waits.id)!.answer(new Response("ok"));
  await next.runner.settled(waits.id, NEVER);
  strictEqual(statusOf(next, waits.id), "succeeded");
});

Deno.test("JobRunner.drain() starts no jobs, leaves queued ones, and lets running ones finish", async () => {
  await using desk = openDesk();
  const { runner, calls, tables } = desk;
  const waits = await desk.accepted();
  const runs = await desk.accepted();
  const ends = await desk.accepted();
  for (const { id } of [runs, ends]) {
    calls.get(id)!.call.observer!.event!(started);
  }
  calls.get(ends.id)!.call.observer!.inFlight!({
    request: { path: "/v1/generate", fields: {} },
    seed: 1,
    remainingMs: () => 77,
    resumeStates: () => [],
    rows: () => undefined,
  });
  strictEqual(runner.works.length, 3);
  runner.drain();
  await rejects(() => runner.submit(order()), DrainingError);
  await settle();
  strictEqual(statusOf(desk, waits.id), "queued");
  deepStrictEqual(
    runner.works.map(({ remainingMs }) => remainingMs()),
    [undefined, 77],
  );
  calls.get(runs.id)!.answer(new Response("ok"));
  await runner.settled(runs.id, NEVER);
  strictEqual(statusOf(desk, runs.id), "succeeded");
  await settle();
  const [last] = runner.works;
  last!.interrupt();
  last!.interrupt();
  strictEqual(last!.remainingMs(), undefined);
  await runner.settled(ends.id, NEVER);
  strictEqual(statusOf(desk, ends.id), "interrupted");
  throws(() => runner.resume(tables.jobs.find(ends.id)!), DrainingError);
  await settle();
  strictEqual(runner.works.length, 0);
});

Deno.test("JobRunner releases the readers of a queued job when it closes", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const told = Array.fromAsync(desk.runner.events(id, 0, NEVER));
  const settled = desk.runner.settled(id, NEVER);
  await desk.runner[Symbol.asyncDispose]();
  deepStrictEqual((await told).map(({ event }) => event), ["queued"]);
  await settled;
  strictEqual(statusOf(desk, id), "queued");
});

Deno.test("JobRunner.recover() takes over the jobs of a dead server, once", async () => {
  await using desk = openDesk();
  const { jobs } = desk.tables;
  for (const id of ["waits", "runs", "done"]) jobs.insert(newJob(id));
  jobs.start("runs", 1);
  jobs.end("done", success(2));
  desk.runner.recover();
  desk.runner.recover();
  deepStrictEqual([...desk.calls.keys()], ["waits"]);
  strictEqual(statusOf(desk, "runs"), "interrupted");
  deepStrictEqual(desk.statuses, ["interrupted"]);
});

Deno.test("JobRunner.recover() takes over no more jobs than it may run at once", async () => {
  await using desk = openDesk({ limit: 2 });
  for (const id of ["a", "b", "c"]) desk.tables.jobs.insert(newJob(id));
  desk.runner.recover();
  deepStrictEqual([...desk.calls.keys()], ["a", "b"]);
  desk.calls.get("a")!.answer(new Response("ok"));
  await desk.runner.settled("a", NEVER);
  await settle();
  desk.runner.recover();
  deepStrictEqual([...desk.calls.keys()], ["b", "c"]);
});

Deno.test("JobRunner.resume() continues from the resume states, and sends the remaining events", async () => {
  await using desk = openDesk();
  const { jobs } = desk.tables;
  const resumeState = {
    codes: Uint16Array.of(5),
    scores: [],
    guesses: undefined,
  };
  jobs.insert(newJob("a"));
  jobs.start("a", 1);
  jobs.append("a", started, { done: 0, total: 2 });
  jobs.keepResumeState("a", 0, resumeState);
  jobs.append("a", row(0), { done: 1, total: 2 });
  desk.runner.recover();
  const resumed = desk.runner.resume(jobs.find("a")!);
  strictEqual(resumed.status, "queued");
  strictEqual(resumed.finishedAt, undefined);
  throws(() => desk.runner.resume(jobs.find("a")!), JobConflictError);
  const { call, answer } = desk.calls.get("a")!;
  deepStrictEqual(call.resumeStates, [resumeState]);
  strictEqual(call.seed, 7);
  for (const event of [started, row(0), row(1)]) call.observer!.event!(event);
  deepStrictEqual(jobs.find("a")?.progress, { done: 2, total: 2 });
  answer(new Response("ok"));
  const events = await replay(desk.runner, "a");
  deepStrictEqual(
    events.map(({ event }) => event),
    ["started", "row", "interrupted", "started", "row", "completed"],
  );
  deepStrictEqual(jobs.resumeStatesOf("a"), []);
});

Deno.test("JobRunner refuses jobs beyond its limit, also resumed ones", async () => {
  await using desk = openDesk({ limit: 2 });
  const { jobs } = desk.tables;
  jobs.insert(newJob("cut"));
  jobs.start("cut", 1);
  desk.runner.recover();
  await desk.accepted();
  const { id } = await desk.accepted();
  await rejects(() => desk.runner.submit(order()), OverloadedError);
  throws(() => desk.runner.resume(jobs.find("cut")!), OverloadedError);
  strictEqual(statusOf(desk, "cut"), "interrupted");
  await desk.runner.cancel(id);
  desk.runner.resume(jobs.find("cut")!);
  strictEqual(desk.runner.size, 2);
});

Deno.test("JobRunner keeps jobs of the same moment apart", async () => {
  await using desk = openDesk({ limit: 5 });
  const orders = Array.from({ length: 9 }, () => desk.runner.submit(order()));
  const names = [...desk.calls.keys()];
  strictEqual(names.length, 5);
  for (const { answer } of [...desk.calls.values()]) answer(new Response("ok"));
  const results = await Promise.allSettled(orders);
  const made = results.flatMap((result) =>
    result.status === "fulfilled" ? [jobOf(result.value).id] : []
  );
  deepStrictEqual(made, names);
  const all = { limit: 99, maxBytes: Infinity };
  strictEqual(desk.tables.jobs.page("anonymous", all).jobs.length, 5);
});

Deno.test("JobRunner stores a job and its key together or not at all", async () => {
  await using desk = openDesk();
  const link = () => {
    throw new StoreFullError();
  };
  await rejects(() => desk.runner.submit(order({ link })), StoreFullError);
  deepStrictEqual(desk.tables.queries.all("SELECT * FROM jobs"), []);
  strictEqual(desk.runner.size, 0);
});

Deno.test("JobRunner interrupts a job whose end could not be stored once it can", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const { call, answer } = desk.calls.get(id)!;
  call.observer!.event!(started);
  const { database } = desk.tables;
  database.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN SELECT raise(ABORT, 'database or disk is full'); END",
  );
  throws(() => call.observer!.event!(row(0)), StoreFullError);
  answer(new Response("ok"));
  await settle();
  strictEqual(desk.runner.size, 0);
  strictEqual(desk.failures.length, 2);
  strictEqual(statusOf(desk, id), "running");
  throws(() => desk.runner.recover(), StoreFullError);
  database.exec("DROP TRIGGER full");
  desk.runner.recover();
  strictEqual(statusOf(desk, id), "interrupted");
});

Deno.test("JobRunner fails a job whose stored request cannot be read", async () => {
  await using desk = openDesk();
  desk.tables.jobs.insert(newJob("a"));
  desk.tables.database.exec("INSERT INTO halfways VALUES ('a', 0, x'00')");
  desk.runner.recover();
  await desk.runner.settled("a", NEVER);
  strictEqual(statusOf(desk, "a"), "failed");
  strictEqual(desk.failures.length, 1);
});

Deno.test("JobRunner.events() yields events as they happen, until the end", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const { call, answer } = desk.calls.get(id)!;
  const events = desk.runner.events(id, 1, NEVER);
  const first = events.next();
  call.observer!.event!(started);
  strictEqual((await first).value?.event, "started");
  const second = events.next();
  answer(new Response("ok"));
  strictEqual((await second).value?.event, "completed");
  strictEqual((await events.next()).done, true);
});

Deno.test("JobRunner.settled() resolves when its signal aborts", async () => {
  await using desk = openDesk();
  const { id } = await desk.accepted();
  const leave = new AbortController();
  const next = desk.runner.events(id, 1, leave.signal).next();
  const settled = desk.runner.settled(id, leave.signal);
  leave.abort();
  strictEqual((await next).done, true);
  await settled;
  strictEqual(statusOf(desk, id), "queued");
});

Deno.test("JobRunner.events() ends at once for an unknown job", async () => {
  await using desk = openDesk();
  deepStrictEqual(await replay(desk.runner, "nothing"), []);
  await desk.runner.settled("nothing", NEVER);
});
