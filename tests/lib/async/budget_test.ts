import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { Budget, type Share } from "../../../lib/async/budget.ts";
import { OverloadedError } from "../../../lib/errors.ts";

const options = { total: 10, maxWaiting: 3, now: () => 0 };

/** Waits until all pending tasks have run. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("Budget never exceeds its total, and grants all requests in the end", async () => {
  const request = fc.record({
    amount: fc.integer({ min: 1, max: 14 }),
    caller: fc.constantFrom("a", "b", "c"),
    urgent: fc.boolean(),
    leaves: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 30 }), async (asked) => {
      const budget = new Budget({ ...options, maxWaiting: 99 });
      const held: Share[] = [];
      const all = asked.map(async ({ amount, caller, urgent, leaves }) => {
        const abort = new AbortController();
        const { signal } = abort;
        const granted = budget.acquire(amount, { caller, urgent, signal });
        if (leaves) abort.abort();
        try {
          held.push(await granted);
        } catch {
          strictEqual(leaves, true);
        }
      });
      for (let left = 200; left > 0; left--) {
        await Promise.resolve();
        ok(budget.held <= budget.total);
        const share = held.shift();
        if (left % 2 === 0) share?.shrink(Math.floor(share.amount / 2));
        share?.[Symbol.dispose]();
      }
      await Promise.all(all);
      for (const share of held) share[Symbol.dispose]();
      deepStrictEqual([budget.held, budget.waiting], [0, 0]);
    }),
    { numRuns: 100 },
  );
});

Deno.test("Budget serves one caller in order, large requests included", async () => {
  const budget = new Budget(options);
  const first = await budget.acquire(6);
  const order: number[] = [];
  const acquire = async (amount: number) => {
    const share = await budget.acquire(amount);
    order.push(amount);
    return share;
  };
  const large = acquire(9);
  const small = acquire(1);
  await settle();
  // 4 are free: the small one fits, but does not pass the large one.
  deepStrictEqual(order, []);
  first[Symbol.dispose]();
  await Promise.all([large, small]);
  deepStrictEqual(order, [9, 1]);
});

Deno.test("Budget serves callers in turn, however many requests one has", async () => {
  const budget = new Budget({ ...options, maxWaiting: 10 });
  const order: string[] = [];
  const use = async (caller: string) => {
    using _share = await budget.acquire(10, { caller });
    order.push(caller);
  };
  const greedy = Array.from({ length: 5 }, () => use("greedy"));
  const modest = [use("modest"), use("modest")];
  await Promise.all([...greedy, ...modest]);
  deepStrictEqual(order.slice(0, 4), ["greedy", "modest", "greedy", "modest"]);
});

Deno.test("Budget refuses requests beyond its queue, with a retry time by its pace", async () => {
  let now = 0;
  const budget = new Budget({ ...options, now: () => now });
  let share = await budget.acquire(10);
  const leave = new AbortController();
  const { signal } = leave;
  const waiting = Array.from(
    { length: 3 },
    () => budget.acquire(10, { signal }),
  );
  now = 7_000;
  share[Symbol.dispose]();
  share = await waiting[0]!;
  waiting.push(budget.acquire(10, { signal }));
  await rejects(
    budget.acquire(10),
    (error) =>
      error instanceof OverloadedError && error.retryAfterSeconds === 7,
  );
  // An urgent request is never refused, and goes first.
  const urgent = budget.acquire(10, { urgent: true });
  leave.abort(new Error("gone"));
  for (const one of waiting.slice(1)) await rejects(one, /gone/);
  share[Symbol.dispose]();
  (await urgent)[Symbol.dispose]();
  strictEqual(budget.held, 0);
});

Deno.test("Budget grants its total to a request for more", async () => {
  const budget = new Budget(options);
  using share = await budget.acquire(99);
  strictEqual(share.amount, 10);
  share.shrink(20);
  strictEqual(share.amount, 10);
  share.shrink(4);
  strictEqual(budget.held, 4);
});

Deno.test("Budget.acquire() calls onAdmitted for shares that are granted or waited for, not for refused ones", async () => {
  const admitted: string[] = [];
  const budget = new Budget({ total: 10, maxWaiting: 1, now: () => 0 });
  const ask = (name: string) =>
    budget.acquire(10, { onAdmitted: () => void admitted.push(name) });
  const first = await ask("granted");
  const waiting = ask("waits");
  await rejects(ask("refused"), OverloadedError);
  deepStrictEqual(admitted, ["granted", "waits"]);
  first[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
  deepStrictEqual(admitted, ["granted", "waits"]);
});
