import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { StepTime } from "../../../lib/engine/step_time.ts";

const anySeconds = fc.double({ min: 1e-4, max: 10, noNaN: true });

Deno.test("StepTime equals the measurement from the first step, whatever the initial estimate", () => {
  fc.assert(fc.property(anySeconds, fc.integer({ min: 1, max: 200 }), (
    seconds,
    steps,
  ) => {
    const pace = new StepTime();
    for (let step = 0; step < steps; step++) pace.note(seconds);
    ok(Math.abs(pace.secondsPerStep / seconds - 1) < 1e-9);
  }));
});

Deno.test("StepTime is between the fastest and the slowest step", () => {
  fc.assert(fc.property(
    fc.array(anySeconds, { minLength: 1, maxLength: 50 }),
    (steps) => {
      const pace = new StepTime();
      for (const seconds of steps) pace.note(seconds);
      const slack = 1 + 1e-9;
      ok(pace.secondsPerStep * slack >= Math.min(...steps));
      ok(pace.secondsPerStep <= Math.max(...steps) * slack);
    },
  ));
});

Deno.test("StepTime decays", () => {
  const pace = new StepTime();
  for (let step = 0; step < 100; step++) pace.note(10);
  for (let step = 0; step < 200; step++) pace.note(0.001);
  strictEqual(Math.round(1000 * pace.secondsPerStep), 1);
});
