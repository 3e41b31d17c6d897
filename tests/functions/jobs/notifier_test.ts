import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Notifier } from "../../../functions/jobs/notifier.ts";

const never = new AbortController().signal;

Deno.test("Notifier wakes all waiters of a name, and no others", async () => {
  const bells = new Notifier();
  const woken: string[] = [];
  const wait = async (name: string, who: string) => {
    await bells.next(name, never);
    woken.push(who);
  };
  const first = [wait("a", "1"), wait("a", "2")];
  const other = wait("b", "3");
  bells.ring("a");
  await Promise.all(first);
  deepStrictEqual(woken, ["1", "2"]);
  bells.ring("b");
  await other;
  deepStrictEqual(woken, ["1", "2", "3"]);
});

Deno.test("Notifier ignores notifications before the wait", async () => {
  const bells = new Notifier();
  bells.ring("a");
  let heard = false;
  const next = bells.next("a", never).then(() => heard = true);
  await Promise.resolve();
  strictEqual(heard, false);
  bells.ring("a");
  await next;
});

Deno.test("Notifier drops waiters whose signal aborts", async () => {
  const bells = new Notifier();
  const leave = new AbortController();
  const waiting = bells.next("a", leave.signal);
  strictEqual(bells.size, 1);
  leave.abort();
  await waiting;
  await bells.next("a", leave.signal);
  strictEqual(bells.size, 0);
});
