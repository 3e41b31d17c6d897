import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Strategy } from "../../../lib/drawing/strategy.ts";
import type { CodeGrid } from "../../../lib/grid.ts";
import { toyModel } from "../../support/plain_loop.ts";
import {
  anySize,
  drawToy,
  TOY_VOCABULARY,
  toyOptions,
} from "../../support/toy_drawing.ts";

const anyStrategy: fc.Arbitrary<Strategy> = fc.oneof(
  fc.constant({ name: "autoregressive" } as const),
  fc.record({
    name: fc.constant("jacobi" as const),
    window: fc.integer({ min: 1, max: 9 }),
    retryPolicy: fc.record({
      trial: fc.integer({ min: 1, max: 3 }),
      worth: fc.constantFrom(0, 1.5, 9),
      rest: fc.integer({ min: 1, max: 5 }),
    }),
  }),
);

const anyDrawing = fc.record({
  size: anySize,
  given: fc.nat(2),
  strategy: anyStrategy,
  seed: fc.nat(1000),
  rows: fc.constantFrom(1, 2),
  logprobs: fc.nat(2),
}).map(({ size, given, rows, seed, ...more }) => {
  const codes = new Uint16Array(given * size.width).fill(7);
  const prefix: CodeGrid = { height: given, width: size.width, codes };
  const whole = { height: given + size.height, width: size.width };
  const options = toyOptions(whole, { prefix, guidanceScale: 2, ...more });
  return { options, model: toyModel(TOY_VOCABULARY, { rows, seed }) };
});

Deno.test("ResumeState continues a drawing that stopped anywhere as if it had not", () => {
  fc.assert(
    fc.property(anyDrawing, fc.nat(), ({ options, model }, at) => {
      const whole = drawToy(options, model);
      const stop = at % whole.resumeStates.length;
      const resumeState = whole.resumeStates[stop];
      ok(resumeState !== undefined);
      const rest = drawToy({ ...options, resumeState }, model);
      deepStrictEqual(rest.codes, whole.codes);
      // Rows are reported again from the first that was drawn.
      deepStrictEqual(rest.rows, whole.rows);
      strictEqual(rest.drafts.length, whole.drafts.length - stop);
      // Its drafts equal those of the uninterrupted drawing.
      deepStrictEqual(
        rest.drafts.map(({ scored }) => scored.length),
        whole.drafts.slice(stop).map(({ scored }) => scored.length),
      );
      deepStrictEqual(rest.resumeStates, whole.resumeStates.slice(stop));
    }),
    { numRuns: 300 },
  );
});

Deno.test("ZiparDrawing has no ResumeState and starts over", () => {
  const options = toyOptions({ height: 4, width: 6 }, {
    strategy: { name: "zipar", window: 2 },
  });
  const { resumeStates } = drawToy(options, toyModel(TOY_VOCABULARY));
  deepStrictEqual([...new Set(resumeStates)], [undefined]);
});
