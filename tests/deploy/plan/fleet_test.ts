import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Scaling, simulate } from "../../../deploy/plan/fleet.ts";
import { summarize } from "../../../deploy/plan/summary.ts";
import type { Arrival } from "../../../deploy/plan/workload.ts";
import { answerOf, engineOf, fixed } from "../../support/plans.ts";

const answer = answerOf();
const at = (...times: number[]): Arrival[] =>
  times.map((atMs) => ({ atMs, kind: answer }));

Deno.test("simulate() takes the time of the prompt and the runs for a single request", async () => {
  const { outcomes, endMs, busyMs, replicaMs } = await simulate(at(500), {
    engine: engineOf(),
    scaling: fixed(1),
    retries: true,
    promises: true,
  });
  const { startedAt, firstAt, finishedAt } = outcomes[0]!.ran!;
  deepStrictEqual([startedAt, firstAt, finishedAt], [500, 510, 1500]);
  deepStrictEqual([endMs, busyMs, replicaMs], [1500, 1000, 1500]);
});

Deno.test("simulate() shares arrivals between servers", async () => {
  const options = {
    engine: engineOf({ slots: 2 }),
    retries: true,
    promises: true,
  };
  const waits = async (servers: number) => {
    const scaling = fixed(servers);
    const { outcomes } = await simulate(at(0, 0, 0, 0), {
      ...options,
      scaling,
    });
    return outcomes.filter(({ ran }) => ran!.startedAt > 0).length;
  };
  deepStrictEqual([await waits(1), await waits(2)], [2, 0]);
});

Deno.test("simulate() lets refused requests retry after the given time, or not at all", async () => {
  const engine = engineOf({ slots: 2, queueLimit: 1 });
  const arrivals = at(0, 0, 1, 2);
  const run = async (retries: boolean) => {
    const scaling = fixed(1);
    const options = { engine, scaling, retries, promises: true };
    return (await simulate(arrivals, options)).outcomes;
  };
  const last = (await run(false)).at(-1)!;
  strictEqual(last.ran, undefined);
  deepStrictEqual([last.refusals, last.retryAfterSeconds], [1, 1]);
  const patient = (await run(true)).at(-1)!;
  ok(patient.refusals >= 1 && patient.ran!.startedAt >= 1000);
  strictEqual(patient.atMs, 2);
});

const scaling: Scaling = {
  min: 0,
  max: 3,
  targetRequests: 2,
  downDelayMs: 10_000,
  coldStartMs: 5000,
};

Deno.test("simulate() starts servers on demand, after a cold start, and stops superfluous ones", async () => {
  const arrivals = at(0, 1, 2, 3, 60_000);
  const run = await simulate(arrivals, {
    engine: engineOf(),
    scaling,
    retries: true,
    promises: true,
  });
  const starts = run.outcomes.map(({ ran }) => ran!.startedAt);
  // The first is ready after five seconds and takes all waiting requests.
  deepStrictEqual(starts, [5000, 5000, 5000, 5000, 65_000]);
  deepStrictEqual([run.mostReplicas, run.coldStarts], [2, 3]);
  // Two from about 0 on, the last of which stops ten seconds after the end.
  ok(run.replicaMs > 2 * 5000 && run.replicaMs < 2 * 17_000 + 7000);
});

Deno.test("simulate() without cold starts has no waits for servers", async () => {
  const { outcomes, coldStarts } = await simulate(at(0, 60_000), {
    engine: engineOf(),
    scaling: { ...scaling, min: 1 },
    retries: true,
    promises: true,
  });
  deepStrictEqual(outcomes.map(({ ran }) => ran!.startedAt), [0, 60_000]);
  strictEqual(coldStarts, 0);
});

Deno.test("simulate() rejects impossible requests before anything runs", async () => {
  const engine = engineOf({ cacheTokens: 50 });
  await rejects(
    () =>
      simulate(at(0), {
        engine,
        scaling: fixed(1),
        retries: true,
        promises: true,
      }),
    /^RangeError: Cannot run "answer": it needs more slots or tokens/,
  );
});

const anyScaling = fc.record({
  min: fc.integer({ min: 0, max: 2 }),
  more: fc.integer({ min: 1, max: 3 }),
  targetRequests: fc.integer({ min: 1, max: 9 }),
  downDelayMs: fc.integer({ min: 0, max: 9000 }),
  coldStartMs: fc.integer({ min: 0, max: 9000 }),
}).map(({ more, ...scaling }) => ({ ...scaling, max: scaling.min + more }));

Deno.test("simulate() completes every request once, after its arrival, for any scaling", async () => {
  const anyTimes = fc.array(fc.integer({ min: 0, max: 15_000 }), {
    minLength: 1,
    maxLength: 40,
  });
  const seen = { cold: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(anyTimes, anyScaling, async (times, scaling) => {
      const arrivals = at(...times.sort((a, b) => a - b));
      const engine = engineOf({ slots: 2, queueLimit: 2 });
      const run = await simulate(arrivals, {
        engine,
        scaling,
        retries: true,
        promises: true,
      });
      strictEqual(run.outcomes.length, arrivals.length);
      for (const { atMs, ran, refusals } of run.outcomes) {
        const { startedAt, firstAt, finishedAt } = ran!;
        ok(atMs <= startedAt && startedAt < firstAt && firstAt < finishedAt);
        ok(finishedAt <= run.endMs);
        seen.refused += refusals;
      }
      ok(run.mostReplicas <= scaling.max && run.busyMs <= run.replicaMs);
      // A server runs at most two requests at once.
      ok(2 * run.busyMs >= 1000 * arrivals.length);
      seen.cold += run.coldStarts;
    }),
  );
  ok(seen.cold > 20 && seen.refused > 10, JSON.stringify(seen));
});

Deno.test("summarize() counts the costs of servers, their start and idle time included", async () => {
  const run = await simulate(at(0, 9000), {
    engine: engineOf(),
    scaling: fixed(2),
    retries: true,
    promises: true,
  });
  const price = { currency: "x", perGpuSecond: 3, gpus: 2 };
  const { replicaSeconds, cost, perSecond, utilization, all } = summarize(
    run,
    price,
  );
  strictEqual(replicaSeconds, 20);
  deepStrictEqual(cost, { total: 120, each: 60 });
  deepStrictEqual([perSecond, utilization], [0.2, 0.1]);
  deepStrictEqual(all.latencyMs, { p50: 1000, p95: 1000, p99: 1000 });
  strictEqual(summarize(run, undefined).cost, undefined);
});
