/**
 * The laws of WorkDeadline, which counts work, not time.
 *
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import {
  threadClock,
  threadNumber,
  WorkDeadline,
} from "../../../../lib/image/threads/work_deadline.ts";

/** Returns the clocks of a thread that computes part of the time. */
function fakeThread(knowsWork = true) {
  let [nowMs, cpuMs] = [0, 700];
  return {
    clock: {
      nowMs: () => nowMs,
      cpuMs: () => knowsWork ? cpuMs : undefined,
    },
    pass: (ms: number, share: number) => {
      nowMs += ms;
      cpuMs += ms * share;
    },
  };
}

Deno.test("WorkDeadline is not missed while the thread receives no CPU time", () => {
  const { clock, pass } = fakeThread();
  const deadline = new WorkDeadline(1000, clock);
  strictEqual(deadline.check(), 1000);
  pass(10_000, 0);
  strictEqual(deadline.check(), 1000);
  pass(8000, 0.1);
  strictEqual(deadline.check(), 200);
  pass(1000, 0.3);
  strictEqual(deadline.check(), "late");
});

Deno.test("WorkDeadline is missed once its work was computed, on any machine", () => {
  for (const share of [1, 0.5, 0.1]) {
    const { clock, pass } = fakeThread();
    const deadline = new WorkDeadline(1000, clock);
    let checks = 0;
    for (; typeof deadline.check() === "number"; checks++) pass(10, share);
    strictEqual(deadline.check(), "late");
    ok(Math.abs(checks - 100 / share) <= 1, `${checks}`);
  }
});

Deno.test("WorkDeadline reports a thread without progress for very long as stalled", () => {
  for (const knowsWork of [true, false]) {
    const { clock, pass } = fakeThread(knowsWork);
    const deadline = new WorkDeadline(1000, clock);
    pass(20_000, 0);
    strictEqual(deadline.check(), 1000);
    pass(1, 0);
    strictEqual(deadline.check(), "stalled");
  }
});

Deno.test("WorkDeadline counts work from the first check that reports it", () => {
  const thread: { cpuMs?: number } = {};
  const deadline = new WorkDeadline(1000, {
    nowMs: () => 0,
    cpuMs: () => thread.cpuMs,
  });
  strictEqual(deadline.check(), 1000);
  thread.cpuMs = 300;
  strictEqual(deadline.check(), 1000);
  thread.cpuMs = 900;
  strictEqual(deadline.check(), 400);
});

Deno.test("threadClock() counts the work of this thread, if the system reports it", () => {
  const number = threadNumber();
  const { cpuMs } = threadClock(() => number, () => 0);
  const before = cpuMs();
  strictEqual(before === undefined, number === undefined);
  if (before === undefined) return;
  const end = performance.now() + 1000;
  while (cpuMs()! - before < 5 && performance.now() < end) {
    // Computes.
  }
  ok(cpuMs()! > before);
});
