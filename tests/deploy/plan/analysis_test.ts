/**
 * The tests of the analytic model against the simulation.
 */

import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { analyze, erlangC } from "../../../deploy/plan/analysis.ts";
import { simulate } from "../../../deploy/plan/fleet.ts";
import type { EngineSize } from "../../../deploy/plan/virtual_decoder.ts";
import {
  poissonArrivals,
  type RequestClass,
} from "../../../deploy/plan/workload.ts";
import { answerOf, engineOf, fixed, flat } from "../../support/plans.ts";

/** Returns the mean wait in the simulation. */
async function simulatedWait(
  engine: EngineSize,
  kind: RequestClass,
  ratePerMs: number,
): Promise<Readonly<Record<"simulated" | "onPaper" | "rate", number>>> {
  const arrivals = poissonArrivals([{ kind, share: 1 }], {
    ratePerMs,
    durationMs: 2500 / ratePerMs,
    seed: 3,
  });
  const { outcomes } = await simulate(arrivals, {
    engine,
    scaling: fixed(1),
    retries: true,
    promises: true,
  });
  const waits = outcomes.map(({ atMs, ran }) => ran!.startedAt - atMs);
  const simulated = waits.reduce((a, b) => a + b) / waits.length;
  const { meanWaitMs, perSecond } = analyze(arrivals, engine, 1);
  return { simulated, onPaper: meanWaitMs, rate: perSecond };
}

Deno.test("erlangC() is Erlang's formula: the load for one server, the tables for many", () => {
  strictEqual(erlangC(1, 0.7), 0.7);
  ok(Math.abs(erlangC(2, 1) - 1 / 3) < 1e-12);
  ok(Math.abs(erlangC(5, 4) - 0.554113) < 1e-6);
  strictEqual(erlangC(3, 3), 1);
});

Deno.test("analyze() with one slot: the simulation waits as Pollaczek and Khinchine predict (M/D/1)", async () => {
  const engine = engineOf({ slots: 2 });
  // Both rows, so that one request is served at a time: a second each.
  const kind = answerOf({ prompts: [10, 10], runs: 98, newTokens: 98 });
  for (const wanted of [0.3, 0.6]) {
    const found = await simulatedWait(engine, kind, wanted / 1000);
    const { simulated, onPaper, rate: load } = found;
    const exact = 1000 * load / (2 * (1 - load));
    ok(Math.abs(onPaper / exact - 1) < 1e-6, JSON.stringify(found));
    ok(Math.abs(simulated / exact - 1) < 0.15, JSON.stringify(found));
  }
});

Deno.test("analyze() with several slots is near the simulation where most are taken", async () => {
  const costs = { step: flat(10), prefill: flat(1), wide: [], heldTokenMs: 0 };
  const engine = engineOf({ slots: 4, costs });
  const { simulated, onPaper } = await simulatedWait(
    engine,
    answerOf(),
    0.9 * 4 / 1000,
  );
  ok(Math.abs(simulated / onPaper - 1) < 0.35, `${simulated} ${onPaper}`);
});

Deno.test("analyze() bounds the throughput of every simulation", async () => {
  const anyTable = fc.array(fc.integer({ min: 1, max: 99 }), {
    minLength: 3,
    maxLength: 3,
  }).map((times) =>
    times.map((milliseconds, i) => ({ size: [2, 4, 8][i]!, milliseconds }))
  );
  const anyKind = fc.record({
    rows: fc.integer({ min: 1, max: 2 }),
    runs: fc.integer({ min: 1, max: 60 }),
    tokensPerRun: fc.constantFrom(1, 2),
  }).map(({ rows, runs, tokensPerRun }) =>
    answerOf({
      prompts: Array.from({ length: rows }, () => 5),
      runs,
      newTokens: runs * tokensPerRun,
      maxNewTokens: runs * tokensPerRun,
      tokensPerRun,
    })
  );
  await fc.assert(
    fc.asyncProperty(anyTable, anyTable, anyKind, async (step, wide, kind) => {
      const costs = { step, wide, prefill: flat(1), heldTokenMs: 0 };
      const engine = engineOf({ costs });
      const arrivals = Array.from({ length: 30 }, (_, i) => ({
        atMs: i,
        kind,
      }));
      const { endMs } = await simulate(arrivals, {
        engine,
        scaling: fixed(1),
        retries: true,
        promises: true,
      });
      const { mostPerSecond } = analyze(arrivals, engine, 1);
      ok(arrivals.length / (endMs / 1000) <= mostPerSecond * (1 + 1e-9));
    }),
  );
});

Deno.test("analyze() returns the fewest servers that keep up", () => {
  const arrivals = poissonArrivals([{ kind: answerOf(), share: 1 }], {
    ratePerMs: 20 / 1000,
    durationMs: 100_000,
    seed: 1,
  });
  // At most eight captions per second and server.
  const few = analyze(arrivals, engineOf(), 2);
  strictEqual(few.leastReplicas, 3);
  ok(few.load > 1 && few.meanWaitMs === Infinity);
  const enough = analyze(arrivals, engineOf(), 4);
  ok(enough.load < 1 && enough.meanWaitMs < Infinity);
});
