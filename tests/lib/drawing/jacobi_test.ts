import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { distributionDifference } from "../../support/enumerate.ts";
import { toyModel } from "../../support/plain_loop.ts";
import {
  anySize,
  drawToy,
  exactDistribution,
  strategyDistribution,
  TOY_VOCABULARY,
  toyOptions,
  toyVocabulary,
} from "../../support/toy_drawing.ts";

const anyWindow = fc.integer({ min: 1, max: 12 });
const anySeed = fc.nat(1000);
const greedy = { temperature: 0, topK: 0, topP: 1 };
const free = { temperature: 1, topK: 0, topP: 1 };

/** Cases small enough to enumerate all outcomes of chance. */
const CASES = [
  { what: "rows of two", codes: 3, size: { height: 2, width: 2 } },
  { what: "rows of one", codes: 3, size: { height: 4, width: 1 } },
  { what: "one row", codes: 2, size: { height: 1, width: 5 } },
  { what: "rows of three", codes: 2, size: { height: 2, width: 3 } },
  {
    what: "ties at the k-th place",
    codes: 4,
    size: { height: 2, width: 2 },
    sampling: { ...free, topK: 2 },
    model: { levels: 3 },
  },
  {
    what: "a nucleus, and a temperature",
    codes: 4,
    size: { height: 2, width: 2 },
    sampling: { temperature: 0.7, topK: 3, topP: 0.8 },
  },
  {
    what: "codes that cannot be drawn",
    codes: 4,
    size: { height: 2, width: 2 },
    model: { dull: 40 },
  },
  {
    what: "guidance",
    codes: 3,
    size: { height: 2, width: 2 },
    guidanceScale: 3,
    model: { rows: 2 },
  },
  {
    what: "a temperature of 0",
    codes: 4,
    size: { height: 2, width: 3 },
    sampling: greedy,
  },
];

/** Options that turn speculation off and on within a few codes. */
const IMPATIENT = { trial: 1, worth: 2, rest: 1 };

const WINDOWS = [
  { window: 2 },
  { window: 3 },
  { window: 4 },
  { window: 3, retryPolicy: IMPATIENT },
];

for (const { what, codes, size, model: how = {}, ...more } of CASES) {
  for (const ahead of WINDOWS) {
    Deno.test(`JacobiDrawing samples the distribution of autoregressive decoding, ${JSON.stringify(ahead)}: ${what}`, () => {
      const vocabulary = toyVocabulary(codes);
      for (const seed of [1, 2]) {
        const model = toyModel(vocabulary, { ...how, seed });
        const options = toyOptions(size, {
          ...more,
          strategy: { name: "jacobi", ...ahead },
        });
        const distribution = strategyDistribution(options, model, vocabulary);
        const expected = exactDistribution(options, model, vocabulary);
        const sum = [...distribution.values()].reduce((sum, value) =>
          sum + value
        );
        ok(Math.abs(sum - 1) < 1e-12, `the distribution sums to ${sum}`);
        const difference = distributionDifference(distribution, expected);
        ok(difference < 1e-12, `laws differ by ${difference}`);
      }
    });
  }
}

Deno.test("JacobiDrawing at temperature 0 equals autoregressive drawing, with any window", () => {
  fc.assert(fc.property(anySize, anyWindow, anySeed, (size, window, seed) => {
    const model = toyModel(TOY_VOCABULARY, { rows: 2, seed });
    const sampling = greedy;
    const options = toyOptions(size, { sampling, guidanceScale: 2 });
    const plain = drawToy(options, model);
    const strategy = { name: "jacobi", window } as const;
    const jacobi = drawToy({ ...options, strategy }, model);
    deepStrictEqual(jacobi.codes, plain.codes);
    deepStrictEqual(jacobi.rows, plain.rows);
    ok(jacobi.drafts.length <= plain.drafts.length);
  }));
});

Deno.test("JacobiDrawing with a window of 1 equals autoregressive drawing", () => {
  fc.assert(fc.property(anySize, anySeed, (size, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed });
    const strategy = { name: "jacobi", window: 1 } as const;
    const plain = drawToy(toyOptions(size), model);
    const jacobi = drawToy(toyOptions(size, { strategy }), model);
    deepStrictEqual(jacobi.codes, plain.codes);
    deepStrictEqual(jacobi.drafts, plain.drafts);
  }));
});

Deno.test("JacobiDrawing takes a forward pass per window if the model's choice never changes", () => {
  const size = { height: 6, width: 5 };
  const logits = () => Float32Array.of(0, 9, 0, 0);
  const options = toyOptions(size, {
    sampling: greedy,
    strategy: { name: "jacobi", window: 6 },
  });
  const { drafts } = drawToy(options, { rows: 1, logits });
  // The prompt's logits decide the first code, and guesses copy it.
  strictEqual(drafts.length, Math.ceil((30 - 1) / 6));
});

Deno.test("JacobiDrawing never appends tokens beyond the code before the last", () => {
  fc.assert(fc.property(anySize, anyWindow, anySeed, (size, window, seed) => {
    const strategy = { name: "jacobi", window } as const;
    const { appended } = drawToy(
      toyOptions(size, { strategy }),
      toyModel(TOY_VOCABULARY, { seed }),
    );
    const last = size.height * (size.width + 1) - 2;
    ok([...appended.keys()].every((place) => place < last));
  }));
});

Deno.test("JacobiDrawing scores no more codes in a forward pass than its window", () => {
  fc.assert(fc.property(anySize, anyWindow, anySeed, (size, window, seed) => {
    const strategy = { name: "jacobi", window } as const;
    const { drafts } = drawToy(
      toyOptions(size, { strategy }),
      toyModel(TOY_VOCABULARY, { seed }),
    );
    ok(drafts.every(({ scored }) => scored.length <= window));
  }));
});
