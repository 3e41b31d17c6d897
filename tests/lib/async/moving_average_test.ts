import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { MovingAverage } from "../../../lib/async/moving_average.ts";

const memories = fc.double({ min: 0, max: 0.99, noNaN: true });
const amounts = fc.double({ min: 0.01, max: 100, noNaN: true });

Deno.test("MovingAverage has no mean before the first value", () => {
  const average = new MovingAverage(0.9);
  strictEqual(average.mean, undefined);
  strictEqual(average.count, 0);
});

Deno.test("MovingAverage of equal rates is that rate, whatever their amounts", () => {
  fc.assert(fc.property(
    memories,
    amounts,
    fc.array(amounts, { minLength: 1 }),
    (memory, rate, some) => {
      const average = new MovingAverage(memory);
      for (const amount of some) average.add(rate * amount, amount);
      ok(Math.abs(average.mean! / rate - 1) < 1e-9);
      strictEqual(average.count, some.length);
    },
  ));
});

Deno.test("MovingAverage follows a lasting change", () => {
  const average = new MovingAverage(0.9);
  for (let i = 0; i < 50; i++) average.add(1);
  for (let i = 0; i < 50; i++) average.add(2);
  ok(Math.abs(average.mean! - 2) < 0.01);
});
