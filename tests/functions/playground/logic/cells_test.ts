/** Laws of cells, keyboard movement and the color map. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  factsOf,
  movedBy,
  sentenceOf,
} from "../../../../functions/playground/logic/cells.js";
import { blankScores } from "../../../../functions/playground/logic/scores.js";
import {
  heatColor,
  heatPixels,
  largest,
} from "../../../../functions/playground/logic/heat.js";

const KEYS = [
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "PageUp",
  "PageDown",
  "Home",
  "End",
];

Deno.test("movedBy() stays inside the grid, where opposite arrows are inverses", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 90 }),
      fc.integer({ min: 3, max: 90 }),
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      (height, width, y, x, far) => {
        const size = { height, width };
        const inside = { y: 1 + y % (height - 2), x: 1 + x % (width - 2) };
        for (const key of KEYS) {
          const to = movedBy(key, far, inside, size)!;
          ok(to.y >= 0 && to.y < height && to.x >= 0 && to.x < width);
        }
        for (const [there, back] of [KEYS.slice(0, 2), KEYS.slice(2, 4)]) {
          const to = movedBy(there!, far, inside, size)!;
          deepStrictEqual(movedBy(back!, far, to, size), inside);
        }
      },
    ),
  );
  strictEqual(
    movedBy("a", false, { y: 0, x: 0 }, { height: 1, width: 1 }),
    undefined,
  );
  deepStrictEqual(
    movedBy("End", true, { y: 0, x: 0 }, { height: 4, width: 3 }),
    { y: 3, x: 2 },
  );
});

Deno.test("sentenceOf() contains the alternatives of a cell", () => {
  const grid = { width: 2, codes: Uint16Array.of(1, 2, 3, 4) };
  const scores = blankScores(4, 2);
  scores.logprobs[3] = Math.log(0.25);
  scores.entropies[3] = Math.log(4);
  scores.codes.set([9, 4], 6);
  scores.rivalLogprobs.set([Math.log(0.5), Math.log(0.25)], 6);
  const cell = { y: 1, x: 1 };
  const facts = factsOf(grid, scores, cell);
  strictEqual(facts.code, 4);
  deepStrictEqual(facts.rivals.map(({ drawn }) => drawn), [false, true]);
  strictEqual(
    sentenceOf(cell, facts),
    "Row 2, column 2: code 4, 25 %, entropy 2.0 bits. Most likely alternatives: 9 at 50 %.",
  );
  const unknown = { y: 0, x: 0 };
  strictEqual(
    sentenceOf(unknown, factsOf(grid, scores, unknown)),
    "Row 1, column 1: code 1.",
  );
  deepStrictEqual(factsOf(grid, undefined, cell), { code: 4, rivals: [] });
});

/** Returns the relative luminance of WCAG. */
function luminance(color: readonly number[]): number {
  const [r, g, b] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

Deno.test("heatColor() rises in brightness", () => {
  let before = -1;
  for (let share = 0; share <= 1; share += 0.01) {
    const now = luminance(heatColor(share));
    ok(now > before, `at ${share}`);
    before = now;
  }
  deepStrictEqual(heatColor(-1), heatColor(0));
  deepStrictEqual(heatColor(2), heatColor(1));
});

Deno.test("heatPixels() renders unknown cells as transparent", () => {
  const pixels = heatPixels([0, NaN, 2], 2);
  deepStrictEqual(
    [...pixels],
    [...heatColor(0), 255, 0, 0, 0, 0, ...heatColor(1), 255],
  );
  deepStrictEqual([...heatPixels([0], 0)], [...heatColor(0), 255]);
  strictEqual(largest([1, NaN, 3]), 3);
  strictEqual(largest([NaN]), 0);
});
