import { deepStrictEqual, rejects } from "node:assert/strict";
import { Serial } from "../../../lib/async/serial.ts";

Deno.test("a serial queue runs one task at a time, in order, whatever becomes of each", async () => {
  const serial = new Serial();
  const seen: string[] = [];
  const task = (name: string) => async () => {
    seen.push(`${name} starts`);
    await new Promise((resolve) => setTimeout(resolve));
    seen.push(`${name} ends`);
    if (name === "a") throw new Error(name);
  };
  const failing = serial.run(task("a"));
  const other = serial.run(task("b"));
  await rejects(failing);
  await other;
  deepStrictEqual(seen, ["a starts", "a ends", "b starts", "b ends"]);
});

Deno.test("a serial queue lets go of a task whose signal aborts while it waits", async () => {
  const serial = new Serial();
  const blocked = Promise.withResolvers<void>();
  const blocker = serial.run(() => blocked.promise);
  const leave = new AbortController();
  let ran = false;
  const left = serial.run(() => {
    ran = true;
    return Promise.resolve();
  }, leave.signal);
  leave.abort(new Error("gone"));
  // At once: the blocker has not ended.
  await rejects(left, /gone/);
  blocked.resolve();
  await blocker;
  await serial.run(() => Promise.resolve());
  deepStrictEqual(ran, false);
});
