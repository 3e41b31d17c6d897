/**
 * The tests of the simulated server against an engine on a manual clock, in
 * exact milliseconds.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { simulate } from "../../../deploy/plan/fleet.ts";
import type { EngineSize } from "../../../deploy/plan/virtual_decoder.ts";
import type { Arrival, RequestClass } from "../../../deploy/plan/workload.ts";
import { type EngineOutcome, runEngine } from "../../support/timed_engine.ts";

const anyTable = fc.tuple(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
).map(([first, more]) => [
  { size: 2, milliseconds: 64 * first },
  // Sizes so far apart that values between them are whole.
  { size: 66, milliseconds: 64 * (first + more) },
]);

const anySize = fc.record({
  slots: fc.integer({ min: 2, max: 8 }),
  queueLimit: fc.integer({ min: 1, max: 6 }),
  // The longest two rows fit: impossible requests are refused before they reach
  // the engine.
  cacheTokens: fc.integer({ min: 140, max: 400 }),
  chunkTokens: fc.integer({ min: 2, max: 16 }),
  costs: fc.record({
    step: anyTable,
    prefill: anyTable,
    wide: anyTable,
    heldTokenMs: fc.constantFrom(0, 1),
  }),
}) satisfies fc.Arbitrary<EngineSize>;

function anyKind(name: string): fc.Arbitrary<RequestClass> {
  return fc.record({
    name: fc.constant(name),
    prompts: fc.array(fc.integer({ min: 1, max: 20 }), {
      minLength: 1,
      maxLength: 2,
    }),
    sharesLast: fc.boolean(),
    runs: fc.integer({ min: 0, max: 20 }),
    more: fc.integer({ min: 0, max: 10 }),
    tokensPerRun: fc.constantFrom(1, 1, 2),
    long: fc.boolean(),
    afterMs: fc.constant(0),
  }).map(({ runs, more, tokensPerRun, ...kind }) => {
    // Ends of rows are fed along, so that some runs feed two tokens.
    const newTokens = tokensPerRun * runs +
      (tokensPerRun === 1 ? runs >> 2 : 0);
    return {
      ...kind,
      runs,
      newTokens,
      maxNewTokens: newTokens + more,
      tokensPerRun,
    };
  });
}

const anyArrivals = fc.tuple(anyKind("a"), anyKind("b"), anyKind("c"))
  .chain((kinds) =>
    fc.array(
      fc.record({
        gap: fc.integer({ min: 0, max: 3000 }),
        kind: fc.constantFrom(...kinds),
      }),
      { minLength: 1, maxLength: 30 },
    )
  ).map((gaps) => {
    let atMs = 0;
    return gaps.map(({ gap, kind }): Arrival => ({ atMs: atMs += gap, kind }));
  });

/** Returns the predictions of the plan for one server. */
async function planned(
  arrivals: readonly Arrival[],
  engine: EngineSize,
): Promise<EngineOutcome[]> {
  const { outcomes } = await simulate(arrivals, {
    engine,
    scaling: {
      min: 1,
      max: 1,
      targetRequests: 1,
      downDelayMs: 0,
      coldStartMs: 0,
    },
    retries: false,
    promises: false,
  });
  return outcomes.map(({ ran, retryAfterSeconds }) => {
    if (ran === undefined) return { retryAfterSeconds: retryAfterSeconds! };
    const { startedAt, firstAt, finishedAt } = ran;
    return { startedAt, firstAt, finishedAt };
  });
}

Deno.test("simulate() predicts for every request the real engine's start, end or Retry-After", async () => {
  const seen = { done: 0, waited: 0, refused: 0, alone: 0, told: 0 };
  await fc.assert(
    fc.asyncProperty(anySize, anyArrivals, async (size, arrivals) => {
      const real = await runEngine(arrivals, size);
      deepStrictEqual(await planned(arrivals, size), real);
      for (const [i, outcome] of real.entries()) {
        const { atMs, kind } = arrivals[i]!;
        if ("retryAfterSeconds" in outcome) {
          seen.refused++;
          if (outcome.retryAfterSeconds > 1) seen.told++;
          continue;
        }
        seen.done++;
        if (outcome.startedAt > atMs) seen.waited++;
        if (kind.tokensPerRun > 1) seen.alone++;
      }
    }),
    { numRuns: 200 },
  );
  ok(Math.min(...Object.values(seen)) > 60, JSON.stringify(seen));
});
