/** Laws of judgements as arrays. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  firstCells,
  judgementsOf,
} from "../../../../functions/playground/logic/judgements.js";

const rows = [
  [
    { logprob: -1, entropy: 2, top: [{ code: 7, logprob: -0.5 }] },
    { logprob: null, entropy: 0.5, top: [{ code: 9, logprob: null }] },
  ],
  [{ logprob: -3, entropy: 1, top: [{ code: 1, logprob: -3 }] }],
];

Deno.test("judgementsOf() stores every code's logprobs; null is minus infinity", () => {
  const judgements = judgementsOf(rows);
  deepStrictEqual([...judgements.logprobs], [-1, -Infinity, -3]);
  deepStrictEqual([...judgements.entropies], [2, 0.5, 1]);
  strictEqual(judgements.rivals, 1);
  deepStrictEqual([...judgements.codes], [7, 9, 1]);
  deepStrictEqual([...judgements.rivalLogprobs], [-0.5, -Infinity, -3]);
});

Deno.test("judgementsOf() of no rows is blank", () => {
  const { logprobs, rivals } = judgementsOf([]);
  strictEqual(logprobs.length, 0);
  strictEqual(rivals, 0);
});

Deno.test("firstCells() returns the first cells only", () => {
  const { logprobs, codes } = firstCells(judgementsOf(rows), 2);
  deepStrictEqual([...logprobs], [-1, -Infinity]);
  deepStrictEqual([...codes], [7, 9]);
});
