/**
 * The laws of FairQueue: tasks of several callers, one at a time or a few.
 *
 * @module
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { FairQueue } from "../../../lib/async/fair_queue.ts";
import { OverloadedError } from "../../../lib/errors.ts";

/** Returns a task that ends when the test decides. */
function heldTask() {
  const end = Promise.withResolvers<void>();
  return { task: () => end.promise, end: () => end.resolve() };
}

Deno.test("FairQueue runs tasks of one caller in order, up to its concurrency", async () => {
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.record({ turns: fc.nat(3), fails: fc.boolean() })),
    async (concurrency, tasks) => {
      const queue = new FairQueue({ concurrency });
      const started: number[] = [];
      let running = 0;
      const results = await Promise.allSettled(
        tasks.map(({ turns, fails }, i) =>
          queue.run(async () => {
            started.push(i);
            ok(++running <= concurrency);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            running--;
            if (fails) throw new Error("it fails");
            return i;
          })
        ),
      );
      deepStrictEqual(started, [...tasks.keys()]);
      deepStrictEqual(
        results.map(({ status }) => status === "rejected"),
        tasks.map(({ fails }) => fails),
      );
    },
  ));
});

Deno.test("FairQueue lets callers take turns: one task waits for two of another's, not for all", async () => {
  const queue = new FairQueue();
  const order: string[] = [];
  const note = (caller: string) =>
    queue.run(() => Promise.resolve(void order.push(caller)), { caller });
  await Promise.all([
    ...Array.from({ length: 40 }, () => note("a")),
    note("b"),
    note("c"),
  ]);
  ok(order.indexOf("b") <= 2, `${order.slice(0, 5)}`);
  ok(order.indexOf("c") <= 3, `${order.slice(0, 5)}`);
});

Deno.test("FairQueue shares by the cost of tasks, if given", async () => {
  const queue = new FairQueue();
  const served = { a: 0, b: 0 };
  let both = 0;
  const note = (caller: "a" | "b", cost: number) =>
    queue.run(() => {
      served[caller] += cost;
      if (served.a < 400 && served.b < 400) {
        both = Math.max(both, Math.abs(served.a - served.b));
      }
      return Promise.resolve();
    }, { caller, cost });
  await Promise.all([
    ...Array.from({ length: 40 }, () => note("a", 10)),
    ...Array.from({ length: 400 }, () => note("b", 1)),
  ]);
  deepStrictEqual(served, { a: 400, b: 400 });
  ok(both <= 21, `${both}`);
});

Deno.test("FairQueue drops a task whose signal aborts while it waits", async () => {
  const queue = new FairQueue();
  const first = heldTask();
  const running = queue.run(first.task);
  const leave = new AbortController();
  let ran = false;
  const dropped = queue.run(() => Promise.resolve(ran = true), {
    signal: leave.signal,
  });
  const last = queue.run(() => Promise.resolve("last"));
  strictEqual(queue.waiting, 2);
  leave.abort();
  await rejects(dropped, { name: "AbortError" });
  strictEqual(queue.waiting, 1);
  first.end();
  await running;
  strictEqual(await last, "last");
  ok(!ran);
  await rejects(
    queue.run(() => Promise.resolve(), { signal: leave.signal }),
    { name: "AbortError" },
  );
});

Deno.test("FairQueue continues when a task is aborted in its turn", async () => {
  const queue = new FairQueue();
  for (let i = 0; i < 5; i++) {
    const first = heldTask();
    const leave = new AbortController();
    const running = queue.run(async () => {
      await first.task();
      leave.abort();
    });
    const dropped = queue.run(() => Promise.resolve(), {
      signal: leave.signal,
    });
    const settled = Promise.allSettled([running, dropped]);
    first.end();
    await settled;
  }
  strictEqual(await queue.run(() => Promise.resolve(1)), 1);
});

Deno.test("FairQueue refuses a caller's tasks over its limit, and no others", async () => {
  const queue = new FairQueue({ limit: 3 });
  const held = Array.from({ length: 3 }, heldTask);
  const tasks = held.map(({ task }) => queue.run(task, { caller: "a" }));
  await rejects(
    queue.run(() => Promise.resolve(), { caller: "a" }),
    OverloadedError,
  );
  const other = queue.run(() => Promise.resolve("b"), { caller: "b" });
  for (const { end } of held) end();
  await Promise.all(tasks);
  strictEqual(await other, "b");
  strictEqual(
    await queue.run(() => Promise.resolve("again"), { caller: "a" }),
    "again",
  );
  strictEqual(queue.waiting, 0);
});

Deno.test("FairQueue runs one task at a time, in order, whatever their outcomes", async () => {
  const queue = new FairQueue();
  const seen: string[] = [];
  const task = (name: string) => async () => {
    seen.push(`${name} starts`);
    await new Promise((resolve) => setTimeout(resolve));
    seen.push(`${name} ends`);
    if (name === "a") throw new Error(name);
  };
  const failing = queue.run(task("a"));
  const other = queue.run(task("b"));
  await rejects(failing);
  await other;
  deepStrictEqual(seen, ["a starts", "a ends", "b starts", "b ends"]);
});

Deno.test("FairQueue releases a task whose signal aborts while it waits", async () => {
  const queue = new FairQueue();
  const blocked = Promise.withResolvers<void>();
  const blocker = queue.run(() => blocked.promise);
  const leave = new AbortController();
  let ran = false;
  const left = queue.run(() => {
    ran = true;
    return Promise.resolve();
  }, { signal: leave.signal });
  leave.abort(new Error("gone"));
  // At once: the blocker has not ended.
  await rejects(left, /gone/);
  blocked.resolve();
  await blocker;
  await queue.run(() => Promise.resolve());
  deepStrictEqual(ran, false);
});
