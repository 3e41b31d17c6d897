import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Notifier } from "../../../functions/jobs/notifier.ts";

const never = new AbortController().signal;

Deno.test("a bell wakes all who wait for its name, and nobody else", async () => {
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

Deno.test("a bell that rang before is not heard", async () => {
  const bells = new Notifier();
  bells.ring("a");
  let heard = false;
  const next = bells.next("a", never).then(() => heard = true);
  await Promise.resolve();
  strictEqual(heard, false);
  bells.ring("a");
  await next;
});

Deno.test("nobody waits any longer who has left", async () => {
  const bells = new Notifier();
  const leave = new AbortController();
  const waiting = bells.next("a", leave.signal);
  strictEqual(bells.size, 1);
  leave.abort();
  await waiting;
  await bells.next("a", leave.signal);
  strictEqual(bells.size, 0);
});
