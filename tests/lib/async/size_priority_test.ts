/**
 * The laws of SizePriority: small requests pass large ones, and never starve
 * them.
 *
 * @module
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { Budget } from "../../../lib/async/budget.ts";
import { FairQueue } from "../../../lib/async/fair_queue.ts";
import { SizePriority } from "../../../lib/async/size_priority.ts";
import { OverloadedError } from "../../../lib/errors.ts";

const large = (amount: number) => ({ amount, small: false });
const small = (amount: number) => ({ amount, small: true });

/** Waits until all pending tasks have run. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("SizePriority grants a small request the reserved amount while large ones hold the rest", () => {
  const rule = new SizePriority({ total: 10, reserved: 2 });
  rule.take(large(8), []);
  const [next, little] = [large(1), small(2)];
  strictEqual(rule.next([next, little]), little);
  rule.take(little, [next]);
  strictEqual(rule.next([next, small(1)]), undefined);
});

Deno.test("SizePriority grants a large request once enough small ones delayed it", () => {
  const rule = new SizePriority<{ amount: number; small: boolean }>({
    total: 10,
    maxPassed: 3,
  });
  const first = large(10);
  const running = Array.from({ length: 10 }, () => small(1));
  running.forEach((one) => rule.take(one, []));
  const chosen: string[] = [];
  // One small request ends and another arrives, repeatedly.
  for (let turn = 0; turn < 20; turn++) {
    const ended = running.shift();
    if (ended === undefined) break;
    rule.release(ended, 1);
    const next = rule.next([first, small(1)]);
    chosen.push(next === undefined ? "none" : next.small ? "small" : "large");
    if (next === undefined) continue;
    rule.take(next, next === first ? [] : [first]);
    if (next === first) break;
    running.push(next);
  }
  deepStrictEqual(chosen, [
    ...Array(3).fill("small"),
    ...Array(9).fill("none"),
    "large",
  ]);
});

Deno.test("Budget is never exceeded and starves no request, whatever is small", async () => {
  const request = fc.record({
    amount: fc.integer({ min: 1, max: 14 }),
    caller: fc.constantFrom("a", "b"),
    urgent: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { maxLength: 40 }),
      fc.nat(4),
      async (asked, reserved) => {
        const budget = new Budget({
          total: 10,
          reserved,
          smallAmount: 2,
          maxPassed: 2,
          maxWaiting: 99,
          now: () => 0,
        });
        let served = 0;
        await Promise.all(asked.map(async ({ amount, ...options }) => {
          using share = await budget.acquire(amount, options);
          ok(budget.held <= budget.total);
          await settle();
          share.shrink(share.amount / 2);
          served++;
        }));
        deepStrictEqual(
          [served, budget.held, budget.waiting],
          [asked.length, 0, 0],
        );
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("Budget lets a small request pass waiting large ones", async () => {
  const budget = new Budget({
    total: 10,
    reserved: 2,
    smallAmount: 2,
    maxWaiting: 9,
    now: () => 0,
  });
  const order: string[] = [];
  const acquire = async (amount: number, caller = "a") => {
    const share = await budget.acquire(amount, { caller });
    order.push(`${caller}${amount}`);
    return share;
  };
  const first = await acquire(8);
  const second = acquire(8);
  const third = acquire(8);
  const little = acquire(1);
  const others = acquire(1, "b");
  await settle();
  deepStrictEqual(order, ["a8", "a1", "b1"]);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  (await little)[Symbol.dispose]();
  (await others)[Symbol.dispose]();
  strictEqual(budget.held, 0);
});

Deno.test("Budget refuses a request that would wait too long, by the pace of its queue", async () => {
  let now = 0;
  const budget = new Budget({
    total: 10,
    maxWaiting: 99,
    maxWaitMs: 30_000,
    now: () => now,
  });
  const ask = () => budget.acquire(10);
  let share = await ask();
  // Before the pace is measured, the queue is limited by its length only.
  for (const next of Array.from({ length: 6 }, ask)) {
    now += 10_000;
    share[Symbol.dispose]();
    share = await next;
  }
  // Ten seconds each: those before the fourth take thirty.
  const waiting = Array.from({ length: 4 }, ask);
  await rejects(
    ask(),
    (error) =>
      error instanceof OverloadedError && error.retryAfterSeconds === 10,
  );
  for (const next of waiting) {
    share[Symbol.dispose]();
    share = await next;
  }
  share[Symbol.dispose]();
  strictEqual(budget.held, 0);
});

Deno.test("FairQueue keeps one slot free of large tasks, and starves none of them", async () => {
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 2, max: 4 }),
    fc.array(fc.record({ cost: fc.nat(9), turns: fc.nat(3) }), {
      maxLength: 40,
    }),
    async (concurrency, tasks) => {
      const queue = new FairQueue({ concurrency, smallCost: 2, maxPassed: 3 });
      let largeRunning = 0;
      let ended = 0;
      await Promise.all(tasks.map(({ cost, turns }) =>
        queue.run(async () => {
          const isLarge = cost > 2 ? 1 : 0;
          largeRunning += isLarge;
          ok(largeRunning < concurrency && queue.running <= concurrency);
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          largeRunning -= isLarge;
          ended++;
        }, { cost })
      ));
      deepStrictEqual([ended, queue.running], [tasks.length, 0]);
    },
  ));
});

Deno.test("FairQueue lets a small task pass large tasks, also with a concurrency of one", async () => {
  for (const concurrency of [1, 2]) {
    const queue = new FairQueue({ concurrency, smallCost: 1, maxPassed: 2 });
    const order: string[] = [];
    const run = (name: string, cost: number) =>
      queue.run(async () => {
        await settle();
        order.push(name);
      }, { cost });
    await Promise.all([
      run("large 1", 9),
      run("large 2", 9),
      run("large 3", 9),
      ...["a", "b", "c", "d"].map((name) => run(name, 1)),
    ]);
    const second = order.indexOf("large 2");
    ok(order.indexOf("a") < second, `${order}`);
    if (concurrency === 1) {
      deepStrictEqual(order.slice(0, 4), ["large 1", "a", "b", "large 2"]);
    }
  }
});

Deno.test("Budget ignores how long a share was held while no request waited", async () => {
  let now = 0;
  const budget = new Budget({
    total: 10,
    maxWaiting: 99,
    maxWaitMs: 1000,
    now: () => now,
  });
  const alone = await budget.acquire(1);
  now += 3_600_000;
  alone[Symbol.dispose]();
  const ask = () => budget.acquire(10);
  let share = await ask();
  // Each takes a tenth of a second, so that nine wait less than one.
  for (const next of Array.from({ length: 5 }, ask)) {
    now += 100;
    share[Symbol.dispose]();
    share = await next;
  }
  const waiting = Array.from({ length: 9 }, ask);
  for (const next of waiting) {
    share[Symbol.dispose]();
    share = await next;
  }
  share[Symbol.dispose]();
  strictEqual(budget.held, 0);
});
