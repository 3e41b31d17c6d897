import { ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { Jobs } from "../../../../functions/jobs/jobs.ts";
import {
  RetentionClock,
  SETTLING_MS,
} from "../../../../functions/jobs/store/retention_clock.ts";
import { newJob, openTables, success } from "../../../support/job_tables.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const TTL = 24 * HOUR;

/** A system whose clock may jump, and the servers that run on it. */
class System {
  wall = 1_700_000_000_000;
  up = 0;
  readonly now = () => this.wall;
  readonly uptime = () => this.up;

  pass(ms: number): void {
    this.wall += ms;
    this.up += ms;
  }

  /** Opens the store of a new server. */
  start(path: string): Jobs {
    this.up = 0;
    return new Jobs({
      path,
      now: this.now,
      uptime: this.uptime,
      ttlMs: TTL,
      maxBytes: 2 ** 26,
      limit: 4,
      execute: () => Promise.resolve(new Response("{}")),
      onFailure: (error) => {
        throw error;
      },
      pageBase: "",
      webhooks: undefined,
    });
  }
}

function end(jobs: Jobs, system: System, id: string): void {
  jobs.store.insert(newJob(id, { createdAt: system.now() }));
  jobs.store.end(id, success(system.now()));
}

Deno.test("RetentionClock keeps ended jobs for their retention while the clock jumps either way", () => {
  const anyStep = fc.oneof(
    fc.record({ pass: fc.integer({ min: 0, max: 20 * HOUR }) }),
    fc.record({ jump: fc.integer({ min: -9 * YEAR, max: 9 * YEAR }) }),
    fc.constant({ end: true } as const),
  );
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const system = new System();
      const jobs = system.start(":memory:");
      const ended = new Map<string, number>();
      for (const step of steps) {
        if ("pass" in step) system.pass(step.pass);
        else if ("jump" in step) system.wall += step.jump;
        else {
          const id = `${ended.size}`;
          end(jobs, system, id);
          ended.set(id, system.up);
        }
        jobs.sweep();
        for (const [id, at] of ended) {
          const kept = jobs.store.find(id) !== undefined;
          // Times are stored in whole milliseconds.
          if (system.up - at < TTL - 1) ok(kept, `${id} is gone`);
          if (system.up - at > TTL + 1) ok(!kept, `${id} is still there`);
        }
      }
      void jobs[Symbol.asyncDispose]();
    }),
    { numRuns: 50 },
  );
});

Deno.test("RetentionClock counts the time between two servers once the second has run for a while", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const system = new System();
  {
    await using jobs = system.start(path);
    end(jobs, system, "a");
    jobs.sweep();
  }
  system.wall += 2 * TTL;
  await using jobs = system.start(path);
  system.pass(SETTLING_MS - 1);
  jobs.sweep();
  ok(jobs.store.find("a"));
  system.pass(1);
  jobs.sweep();
  strictEqual(jobs.store.find("a"), undefined);
});

Deno.test("RetentionClock removes nothing for a wrong clock at a start that is corrected", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "jobs.sqlite");
  const system = new System();
  {
    await using jobs = system.start(path);
    end(jobs, system, "a");
    jobs.sweep();
  }
  for (const wrong of [9 * YEAR, -9 * YEAR]) {
    system.wall += wrong;
    {
      await using jobs = system.start(path);
      system.pass(SETTLING_MS / 2);
      jobs.sweep();
      ok(jobs.store.find("a"));
      system.wall -= wrong;
      system.pass(2 * SETTLING_MS);
      jobs.sweep();
      ok(jobs.store.find("a"));
    }
  }
});

Deno.test("RetentionClock never goes back, from server to server", () => {
  const anyStep = fc.record({
    pass: fc.nat(2 * SETTLING_MS),
    jump: fc.integer({ min: -YEAR, max: YEAR }),
    restarts: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(anyStep), (steps) => {
    using tables = openTables();
    const system = new System();
    let clock = new RetentionClock(tables.queries, system);
    let before = clock.now();
    for (const { pass, jump, restarts } of steps) {
      system.pass(pass);
      system.wall += jump;
      clock.save();
      if (restarts) {
        system.up = 0;
        clock = new RetentionClock(tables.queries, system);
      }
      const now = clock.now();
      ok(now >= before, `${now} after ${before}`);
      before = now;
    }
  }));
});
