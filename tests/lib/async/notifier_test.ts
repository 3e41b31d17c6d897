import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Notifier } from "../../../lib/async/notifier.ts";

const never = new AbortController().signal;

Deno.test("Notifier wakes all waiters of a name, and no others", async () => {
  const notifier = new Notifier();
  const woken: string[] = [];
  const wait = async (name: string, who: string) => {
    await notifier.next(name, never);
    woken.push(who);
  };
  const first = [wait("a", "1"), wait("a", "2")];
  const other = wait("b", "3");
  notifier.notify("a");
  await Promise.all(first);
  deepStrictEqual(woken, ["1", "2"]);
  notifier.notify("b");
  await other;
  deepStrictEqual(woken, ["1", "2", "3"]);
});

Deno.test("Notifier ignores notifications before the wait", async () => {
  const notifier = new Notifier();
  notifier.notify("a");
  let notified = false;
  const next = notifier.next("a", never).then(() => notified = true);
  await Promise.resolve();
  strictEqual(notified, false);
  notifier.notify("a");
  await next;
});

Deno.test("Notifier drops waiters whose signal aborts", async () => {
  const notifier = new Notifier();
  const leave = new AbortController();
  const waiting = notifier.next("a", leave.signal);
  strictEqual(notifier.size, 1);
  leave.abort();
  await waiting;
  await notifier.next("a", leave.signal);
  strictEqual(notifier.size, 0);
});
