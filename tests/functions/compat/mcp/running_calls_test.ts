import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  type CallName,
  MAX_CALLS,
  RunningCalls,
} from "../../../../functions/compat/mcp/running_calls.ts";

function name(
  session: string | undefined,
  id: string | number | undefined,
  caller = "me",
): CallName {
  return { caller, session, id };
}

Deno.test("RunningCalls.cancel() cancels only the call of the same caller, session and id", () => {
  const anyName = fc.record({
    caller: fc.constantFrom("a", "b", '"a","s"'),
    session: fc.constantFrom("s", "t", 's",7'),
    id: fc.constantFrom(7, "7", "s"),
  });
  const anyNames = fc.uniqueArray(anyName, { selector: JSON.stringify });
  fc.assert(fc.property(anyNames, anyName, (names, asked) => {
    const calls = new RunningCalls();
    const ended: CallName[] = [];
    for (const one of names) calls.add(one, () => void ended.push(one));
    calls.cancel(asked);
    deepStrictEqual(
      ended,
      names.filter((one) => JSON.stringify(one) === JSON.stringify(asked)),
    );
  }));
});

Deno.test("RunningCalls removes a call that has ended, but not another of the same id", () => {
  const calls = new RunningCalls();
  const forgetFirst = calls.add(name("a", 1), () => {});
  const forgetSecond = calls.add(name("a", 1), () => {});
  forgetFirst();
  strictEqual(calls.size, 1);
  forgetSecond();
  strictEqual(calls.size, 0);
});

Deno.test("RunningCalls records only named calls, up to its limit", () => {
  const calls = new RunningCalls();
  const long = "x".repeat(1000);
  for (
    const bad of [
      name(undefined, 1),
      name("a", undefined),
      name(long, 1),
      name("a", long),
    ]
  ) {
    calls.add(bad, () => {})();
    calls.cancel(bad);
  }
  for (let i = 0; i < MAX_CALLS + 10; i++) calls.add(name("a", i), () => {});
  strictEqual(calls.size, MAX_CALLS);
});
