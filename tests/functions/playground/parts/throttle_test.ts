/** Laws of the throttle. */

import { deepStrictEqual } from "node:assert/strict";
import { throttle } from "../../../../functions/playground/parts/throttle.js";

Deno.test("throttle() runs at once, then once for all calls in between", () => {
  const timers: (() => void)[] = [];
  const runs: number[] = [];
  let now = 0;
  const ask = throttle(100, () => runs.push(now), (then) => timers.push(then));
  const pass = () => {
    now += 100;
    timers.shift()?.();
  };
  ask();
  deepStrictEqual(runs, [0]);
  ask();
  ask();
  deepStrictEqual(runs, [0]);
  pass();
  deepStrictEqual(runs, [0, 100]);
  pass();
  deepStrictEqual(runs, [0, 100]);
  ask();
  deepStrictEqual(runs, [0, 100, 200]);
});
