/** Laws of scores as arrays. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  firstCells,
  scoresOf,
} from "../../../../functions/playground/logic/scores.js";

const rows = [
  [
    { logprob: -1, entropy: 2, top: [{ code: 7, logprob: -0.5 }] },
    { logprob: null, entropy: 0.5, top: [{ code: 9, logprob: null }] },
  ],
  [{ logprob: -3, entropy: 1, top: [{ code: 1, logprob: -3 }] }],
];

Deno.test("scoresOf() stores every code's logprobs; null is minus infinity", () => {
  const scores = scoresOf(rows);
  deepStrictEqual([...scores.logprobs], [-1, -Infinity, -3]);
  deepStrictEqual([...scores.entropies], [2, 0.5, 1]);
  strictEqual(scores.rivals, 1);
  deepStrictEqual([...scores.codes], [7, 9, 1]);
  deepStrictEqual([...scores.rivalLogprobs], [-0.5, -Infinity, -3]);
});

Deno.test("scoresOf() of no rows is blank", () => {
  const { logprobs, rivals } = scoresOf([]);
  strictEqual(logprobs.length, 0);
  strictEqual(rivals, 0);
});

Deno.test("firstCells() returns the first cells only", () => {
  const { logprobs, codes } = firstCells(scoresOf(rows), 2);
  deepStrictEqual([...logprobs], [-1, -Infinity]);
  deepStrictEqual([...codes], [7, 9]);
});
