/**
 * The fairness between callers of one engine: the real engine, on a manual
 * clock.
 *
 * @module
 */

import { ok } from "node:assert/strict";
import fc from "fast-check";
import type { EngineSize } from "../../../deploy/plan/virtual_decoder.ts";
import type { RequestClass } from "../../../deploy/plan/workload.ts";
import {
  type CalledArrival,
  type EngineOutcome,
  runEngine,
} from "../../support/timed_engine.ts";

const flat = (milliseconds: number) => [
  { size: 2, milliseconds },
  { size: 66, milliseconds },
];

const size: EngineSize = {
  slots: 4,
  queueLimit: 64,
  cacheTokens: 1000,
  chunkTokens: 16,
  costs: { step: flat(10), prefill: flat(10), wide: flat(10), heldTokenMs: 0 },
};

function kindOf(
  name: string,
  { rows, newTokens, long }: {
    readonly rows: number;
    readonly newTokens: number;
    readonly long: boolean;
  },
): RequestClass {
  return {
    name,
    prompts: Array.from({ length: rows }, () => 8),
    sharesLast: false,
    runs: newTokens,
    newTokens,
    maxNewTokens: newTokens,
    tokensPerRun: 1,
    long,
    afterMs: 0,
  };
}

const answer = kindOf("answer", { rows: 1, newTokens: 30, long: false });
const picture = kindOf("picture", { rows: 2, newTokens: 100, long: true });

/**
 * Returns the milliseconds of a single request; prefill and steps may
 * alternate.
 */
const ALONE_MS = { answer: 2 * 10 * 31, picture: 2 * 10 * 102 };

function started(outcome: EngineOutcome | undefined) {
  ok(outcome !== undefined && "startedAt" in outcome, "it is not refused");
  return outcome;
}

/** Runs `count` requests of `caller` at once. */
function flood(
  caller: string,
  kind: RequestClass,
  count: number,
  atMs = 0,
): CalledArrival[] {
  return Array.from({ length: count }, () => ({ atMs, kind, caller }));
}

/**
 * Returns the wait of b's one request, in milliseconds, right after a has
 * submitted `count`.
 */
async function waitBehind(
  count: number,
  kind: RequestClass,
  asked: RequestClass,
): Promise<number> {
  const atMs = 50;
  const arrivals = [
    ...flood("a", kind, count),
    { atMs, kind: asked, caller: "b" },
  ];
  const outcomes = await runEngine(arrivals, size);
  return started(outcomes.at(-1)).startedAt - atMs;
}

Deno.test("Engine lets a request behind a flooding caller wait for the next end only", async () => {
  for (const count of [4, 8, 16, 64, 500]) {
    for (const kind of [answer, picture]) {
      const waits = await waitBehind(count, kind, kind);
      const most = kind === answer ? ALONE_MS.answer : ALONE_MS.picture;
      ok(waits <= most, `${waits} ms behind ${count} of ${kind.name}`);
    }
    const waits = await waitBehind(count, picture, answer);
    ok(waits <= 50, `${waits} ms for an answer behind ${count} pictures`);
  }
});

Deno.test("Engine refuses no other caller when one has filled its queue", async () => {
  for (const queueLimit of [1, 2, 3, 8, 64]) {
    const arrivals = [
      ...flood("a", answer, 500),
      { atMs: 50, kind: answer, caller: "b" },
    ];
    const outcomes = await runEngine(arrivals, { ...size, queueLimit });
    started(outcomes.at(-1));
    const refused = outcomes.filter((outcome) => !("startedAt" in outcome));
    ok(refused.length >= 500 - queueLimit - size.slots, "a alone is refused");
  }
});

// An answer may use the slots and tokens that pictures must leave free.
Deno.test("Engine serves callers that flood with pictures, or with answers, equally to within a fifth, whatever each one requests", async () => {
  const anyShape = fc.record({
    rows: fc.integer({ min: 1, max: 2 }),
    newTokens: fc.integer({ min: 10, max: 60 }),
  });
  await fc.assert(
    fc.asyncProperty(anyShape, anyShape, fc.boolean(), async (a, b, long) => {
      const arrivals = [
        ...flood("a", kindOf("a", { ...a, long }), 40),
        ...flood("b", kindOf("b", { ...b, long }), 40),
      ];
      const queueLimit = 1000;
      const ends = await runEngine(arrivals, { ...size, queueLimit });
      const outcomes = ends.map((one, i) => {
        const { caller, kind } = arrivals[i]!;
        const tokens = kind.prompts.length * (8 + kind.maxNewTokens);
        return { ...started(one), caller: caller!, tokens };
      });
      // While both have waiting requests.
      const until = Math.min(
        ...["a", "b"].map((name) =>
          Math.max(
            ...outcomes.filter(({ caller }) => caller === name)
              .map(({ startedAt }) => startedAt),
          )
        ),
      );
      const served = Map.groupBy(
        outcomes.filter(({ startedAt }) => startedAt < until),
        ({ caller }) => caller,
      );
      const [ofA = 0, ofB = 0] = ["a", "b"].map((name) =>
        (served.get(name) ?? []).reduce((sum, { tokens }) => sum + tokens, 0)
      );
      // Requests that run at the end have been counted whole.
      const slack = 2 * Math.max(...outcomes.map(({ tokens }) => tokens));
      const most = Math.max(slack, 0.2 * Math.max(ofA, ofB));
      ok(Math.abs(ofA - ofB) <= most, `${ofA}, ${ofB}`);
    }),
    { numRuns: 40 },
  );
});

Deno.test("Engine starts a caller with few requests at once in its turn beside one that floods", async () => {
  const steady = Array.from({ length: 20 }, (_, i): CalledArrival => ({
    atMs: 50 + 2000 * i,
    kind: answer,
    caller: "b",
  }));
  const arrivals = [...flood("a", answer, 400), ...steady]
    .sort((x, y) => x.atMs - y.atMs);
  const outcomes = await runEngine(arrivals, { ...size, queueLimit: 1000 });
  for (const [i, { caller, atMs }] of arrivals.entries()) {
    if (caller !== "b") continue;
    const waits = started(outcomes[i]).startedAt - atMs;
    ok(waits <= ALONE_MS.answer, `${waits} ms`);
  }
});
