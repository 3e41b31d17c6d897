/** The model test of jobs: any sequence of operations beside a plain model. */

import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { OverloadedError } from "../../../lib/errors.ts";
import type { JobStatus } from "../../../functions/jobs/job.ts";
import { JobConflictError } from "../../../functions/http/errors/errors.ts";
import {
  type JobDesk,
  openDesk,
  order,
  problem,
  replay,
  settle,
} from "../../support/job_desk.ts";
import { openTables } from "../../support/job_tables.ts";

const LIMIT = 3;
const ROWS = 3;

/** A job of the model. */
interface ModelJob {
  readonly id: string;
  status: JobStatus;
  resumable: boolean;
  /** All events that were sent. */
  readonly events: string[];
  /** Rows that were sent, by any run. */
  rows: number;
  /** Rows of this run; undefined before it has started. */
  run: number | undefined;
}

const OPERATIONS = [
  "submit",
  "submit",
  "start",
  "start",
  "row",
  "row",
  "row",
  "finish",
  "fail",
  "fail for now",
  "pass",
  "cancel",
  "resume",
  "resume",
  "kill",
  "stop",
] as const;

type Operation = typeof OPERATIONS[number];

/** The runners one after the other on one store, beside their model. */
class Story {
  readonly tables = openTables();
  readonly jobs: ModelJob[] = [];
  desk: JobDesk = openDesk({ tables: this.tables, limit: LIMIT });

  get live(): number {
    return this.jobs.filter(({ status }) =>
      status === "queued" || status === "running"
    ).length;
  }

  async apply(operation: Operation, pick: number): Promise<void> {
    if (operation === "submit") return await this.submit();
    if (operation === "pass") return this.desk.clock.pass(1000);
    if (operation === "kill") return this.restart();
    if (operation === "stop") {
      await this.desk.runner[Symbol.asyncDispose]();
      return this.restart();
    }
    const job = this.jobs[pick % this.jobs.length];
    if (job === undefined) return;
    if (operation === "cancel") return await this.cancel(job);
    if (operation === "resume") return this.resume(job);
    this.work(operation, job);
  }

  async submit(): Promise<void> {
    if (this.live >= LIMIT) {
      return await rejects(this.desk.runner.submit(order()), OverloadedError);
    }
    const { id } = await this.desk.accepted();
    this.jobs.push({
      id,
      status: "queued",
      resumable: false,
      events: ["queued"],
      rows: 0,
      run: undefined,
    });
  }

  /** Runs the handler of a job. */
  work(
    operation: "start" | "row" | "finish" | "fail" | "fail for now",
    job: ModelJob,
  ): void {
    const work = this.desk.calls.get(job.id);
    if (work === undefined) return;
    const { call, answer } = work;
    if (operation === "start") {
      if (job.run !== undefined) return;
      job.run = 0;
      job.status = "running";
      job.events.push("started");
      call.observer!.event!({ event: "started", data: { n: 1, rows: ROWS } });
    } else if (operation === "row") {
      if (job.run === undefined || job.run === ROWS) return;
      const index = job.run++;
      if (index === job.rows) {
        job.rows++;
        job.events.push(`row ${index}`);
      }
      call.observer!.event!({
        event: "row",
        data: { "image_index": 0, index },
      });
    } else if (operation === "finish") {
      this.end(job, "succeeded", "completed");
      answer(new Response("ok"));
    } else {
      const again = operation === "fail for now";
      // A request that has not started is repeated.
      if (!again || job.run !== undefined) this.end(job, "failed", "error");
      job.resumable = job.status === "failed" && again;
      answer(problem(again ? 503 : 500, "failed"));
    }
  }

  async cancel(job: ModelJob): Promise<void> {
    const ends = ["queued", "running", "interrupted"].includes(job.status);
    if (ends) this.end(job, "canceled", "canceled");
    await this.desk.runner.cancel(job.id);
  }

  resume(job: ModelJob): void {
    const stored = this.tables.jobs.find(job.id)!;
    const resume = () => this.desk.runner.resume(stored);
    if (!job.resumable) return void throws(resume, JobConflictError);
    if (this.live >= LIMIT) return void throws(resume, OverloadedError);
    resume();
    job.status = "queued";
    job.resumable = false;
  }

  /** Starts the next server; the one before has ended, or writes no more. */
  restart(): void {
    for (const job of this.jobs) {
      if (job.status === "running") {
        this.end(job, "interrupted", "interrupted");
        job.resumable = true;
      }
      job.run = undefined;
    }
    this.desk = openDesk({ tables: this.tables, limit: LIMIT });
    this.desk.runner.recover();
  }

  end(job: ModelJob, status: JobStatus, event: string): void {
    job.status = status;
    job.resumable = false;
    job.run = undefined;
    job.events.push(event);
  }

  /** Checks that all jobs are there, end once, and have all events sent. */
  async check(): Promise<void> {
    strictEqual(this.desk.runner.size, this.live);
    deepStrictEqual(this.desk.failures, []);
    const stored = this.tables.jobs.page("anonymous", {
      limit: 999,
      maxBytes: Infinity,
    }).jobs.toReversed();
    deepStrictEqual(
      stored.map(({ id, status, progress }) => [id, status, progress.done]),
      this.jobs.map(({ id, status, rows }) => [id, status, rows]),
    );
    for (const job of this.jobs) await this.checkEvents(job);
  }

  async checkEvents({ id, events, status }: ModelJob): Promise<void> {
    const live = status === "queued" || status === "running";
    for (let after = 0; after <= events.length; after++) {
      const told = live
        ? this.stored(id, after)
        : await replay(this.desk.runner, id, after);
      deepStrictEqual(
        told.map(({ id, event, data }) =>
          `${id} ${event === "row" ? `row ${JSON.parse(data).index}` : event}`
        ),
        events.map((event, i) => `${i + 1} ${event}`).slice(after),
      );
    }
  }

  stored(id: string, after: number) {
    const told = [];
    let next = this.tables.jobs.eventAfter(id, after);
    for (; next; next = this.tables.jobs.eventAfter(id, next.id)) {
      told.push(next);
    }
    return told;
  }
}

Deno.test("JobRunner loses no job, ends none twice, and stores each event once, in any sequence", async () => {
  const anyOperations = fc.array(
    fc.tuple(fc.constantFrom(...OPERATIONS), fc.nat(9)),
    { maxLength: 40, size: "max" },
  );
  const ended = new Set<JobStatus>();
  await fc.assert(
    fc.asyncProperty(anyOperations, async (operations) => {
      const story = new Story();
      for (const [operation, pick] of operations) {
        await story.apply(operation, pick);
        await settle();
      }
      await story.check();
      for (const { status } of story.jobs) ended.add(status);
      await story.desk[Symbol.asyncDispose]();
    }),
    { numRuns: 80 },
  );
  // Every operation occurred.
  strictEqual(ended.size, 6);
});
