import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { RunningCalls } from "../../../functions/mcp/running_calls.ts";

Deno.test("RunningCalls.cancel() ends the call of this session and id, and no other", () => {
  const calls = new RunningCalls();
  const ended: string[] = [];
  calls.add("a", 7, () => void ended.push("a 7"));
  calls.add("a", "7", () => void ended.push('a "7"'));
  calls.add("b", 7, () => void ended.push("b 7"));
  calls.cancel("b", 8);
  calls.cancel(undefined, 7);
  calls.cancel("a", undefined);
  deepStrictEqual(ended, []);
  calls.cancel("a", "7");
  deepStrictEqual(ended, ['a "7"']);
});

Deno.test("RunningCalls forgets a call that has ended, but not one of the same id", () => {
  const calls = new RunningCalls();
  const forgetFirst = calls.add("a", 1, () => {});
  const forgetSecond = calls.add("a", 1, () => {});
  forgetFirst();
  strictEqual(calls.size, 1);
  forgetSecond();
  strictEqual(calls.size, 0);
});

Deno.test("RunningCalls notes nothing that cannot be named", () => {
  const calls = new RunningCalls();
  calls.add(undefined, 1, () => {})();
  calls.add("a", undefined, () => {})();
  strictEqual(calls.size, 0);
});
