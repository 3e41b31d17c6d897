import { deepStrictEqual, ok } from "node:assert/strict";
import { poissonArrivals } from "../../../deploy/plan/workload.ts";
import { answerOf } from "../../support/plans.ts";

const often = answerOf({ name: "often" });
const seldom = answerOf({ name: "seldom" });
const mix = [{ kind: often, share: 3 }, { kind: seldom, share: 1 }];
const long = { ratePerMs: 0.01, durationMs: 1_000_000, seed: 7 };

Deno.test("poissonArrivals() generates the requested rate, at random, in the given shares", () => {
  const arrivals = poissonArrivals(mix, long);
  // 10,000 on average, with a standard deviation of 100.
  ok(Math.abs(arrivals.length - 10_000) < 400);
  const share = arrivals.filter(({ kind }) => kind === often).length /
    arrivals.length;
  ok(Math.abs(share - 0.75) < 0.02);
  const gaps = arrivals.map(({ atMs }, i) =>
    atMs - (arrivals[i - 1]?.atMs ?? 0)
  );
  const mean = gaps.reduce((a, b) => a + b) / gaps.length;
  const deviation = Math.sqrt(
    gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length,
  );
  // Both are equal for an exponential distribution.
  ok(Math.abs(deviation / mean - 1) < 0.05);
});

Deno.test("poissonArrivals() depends on the seed alone, and not on the duration", () => {
  const arrivals = poissonArrivals(mix, long);
  const short = poissonArrivals(mix, { ...long, durationMs: 1000 });
  deepStrictEqual(arrivals.slice(0, short.length), short);
  const others = poissonArrivals(mix, { ...long, seed: 8 });
  ok(others[0]!.atMs !== arrivals[0]!.atMs);
});
