import { ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { ConcurrencyLimiter } from "../../../lib/async/concurrency_limiter.ts";
import { OverloadedError } from "../../../lib/errors.ts";

/** Returns the Retry-After seconds of a refused request. */
function refusal(limiter: ConcurrencyLimiter, caller = "a"): number {
  try {
    limiter.enter(caller);
  } catch (error) {
    ok(error instanceof OverloadedError);
    return error.retryAfterSeconds;
  }
  throw new Error("it was let in");
}

Deno.test("ConcurrencyLimiter admits up to its limit, and one for each that leaves", () => {
  const limiter = new ConcurrencyLimiter(2, () => 0);
  const enteredAt = limiter.enter("a");
  limiter.enter("a");
  throws(() => limiter.enter("a"), OverloadedError);
  limiter.leave("a", enteredAt);
  limiter.enter("a");
  throws(() => limiter.enter("a"), OverloadedError);
});

Deno.test("ConcurrencyLimiter spaces the retry times of refused requests by the pace of free slots", () => {
  const anyPace = fc.integer({ min: 10, max: 60 });
  fc.assert(fc.property(anyPace, fc.integer({ min: 1, max: 40 }), (s, n) => {
    let now = 0;
    const limiter = new ConcurrencyLimiter(1, () => now);
    let enteredAt = limiter.enter("a");
    // Long enough at this pace to measure it, while slots are in demand.
    for (let i = 0; i < 100; i++) {
      now += 1000 * s;
      refusal(limiter);
      limiter.leave("a", enteredAt);
      enteredAt = limiter.enter("a");
    }
    now += 3_600_000;
    for (let i = 1; i <= n; i++) {
      const reported = refusal(limiter);
      ok(
        reported >= 0.9 * i * s - 1 || reported >= 599,
        `${reported} for ${i} × ${s}`,
      );
      ok(
        reported <= Math.min(600, 1.1 * i * s + 1),
        `${reported} for ${i} × ${s}`,
      );
    }
  }));
});

Deno.test("ConcurrencyLimiter drops retry times that have passed", () => {
  let now = 0;
  const limiter = new ConcurrencyLimiter(1, () => now);
  limiter.enter("a");
  for (let i = 0; i < 10; i++) refusal(limiter);
  ok(refusal(limiter) > 1);
  now += 3_600_000;
  strictEqual(refusal(limiter), 1);
});

Deno.test("ConcurrencyLimiter measures the pace before any refusal, from concurrent durations", () => {
  let now = 0;
  const limiter = new ConcurrencyLimiter(4, () => now);
  const entered = [
    limiter.enter("a"),
    limiter.enter("a"),
    limiter.enter("a"),
    limiter.enter("a"),
  ];
  for (let i = 0; i < 200; i++) {
    now += 5000;
    limiter.leave("a", entered.shift()!);
    entered.push(limiter.enter("a"));
  }
  const reported = [refusal(limiter), refusal(limiter), refusal(limiter)];
  for (const [i, seconds] of reported.entries()) {
    ok(Math.abs(seconds - 5 * (i + 1)) <= 1 + i, `${reported}`);
  }
});

Deno.test("ConcurrencyLimiter blocks no caller for another, and shares slots", () => {
  const anyLimit = fc.integer({ min: 1, max: 100 });
  fc.assert(fc.property(anyLimit, (limit) => {
    const limiter = new ConcurrencyLimiter(limit, () => 0);
    for (let i = 0; i < limit; i++) limiter.enter("a");
    refusal(limiter, "a");
    limiter.enter("b");
  }));
  const limiter = new ConcurrencyLimiter(48, () => 0);
  const held = { a: 0, b: 0 };
  const fill = (caller: "a" | "b") => {
    try {
      for (;;) {
        limiter.enter(caller);
        held[caller]++;
      }
    } catch (error) {
      ok(error instanceof OverloadedError);
    }
  };
  fill("a");
  strictEqual(held.a, 48);
  for (let i = 0; i < 200; i++) {
    // A caller with more slots frees them proportionally more often.
    const leaves = i % (held.a + held.b) < held.a ? "a" : "b";
    limiter.leave(leaves, 0);
    held[leaves]--;
    fill(i % 2 === 0 ? "b" : "a");
    fill(i % 2 === 0 ? "a" : "b");
  }
  ok(Math.abs(held.a - held.b) <= 0.2 * held.a, JSON.stringify(held));
});

Deno.test("ConcurrencyLimiter computes each caller's retry times by its own pace", () => {
  let now = 0;
  const limiter = new ConcurrencyLimiter(1, () => now);
  const entered = { slow: limiter.enter("slow"), fast: limiter.enter("fast") };
  for (let i = 1; i <= 1000; i++) {
    now += 1000;
    for (const [caller, every] of [["slow", 20], ["fast", 2]] as const) {
      if (i % every !== 0) continue;
      refusal(limiter, caller);
      limiter.leave(caller, entered[caller]);
      entered[caller] = limiter.enter(caller);
    }
  }
  now += 3_600_000;
  const reported = (caller: string) =>
    Array.from({ length: 3 }, () => refusal(limiter, caller));
  const [slow, fast] = [reported("slow"), reported("fast")];
  for (const [i, seconds] of slow.entries()) {
    ok(Math.abs(seconds - 20 * (i + 1)) <= 2 * (i + 1), `${slow}`);
  }
  for (const [i, seconds] of fast.entries()) {
    ok(Math.abs(seconds - 2 * (i + 1)) <= 1, `${fast}`);
  }
});
