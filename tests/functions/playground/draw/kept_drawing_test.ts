/** Laws of a saved drawing. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  drawingFromText,
  drawingText,
} from "../../../../functions/playground/draw/kept_drawing.js";
import { DrawnRows } from "../../../../functions/playground/logic/drawn_rows.js";

/** Creates rows of `width` codes, the first `count` drawn. */
function drawn(height: number, width: number, count: number): DrawnRows {
  const rows = new DrawnRows({ height, width });
  for (let index = 0; index < count; index++) {
    rows.add({ index, codes: Array.from({ length: width }, () => index) });
  }
  return rows;
}

Deno.test("drawingFromText() inverts drawingText() in settings, seed and rows", () => {
  const anySize = fc.integer({ min: 1, max: 6 });
  fc.assert(
    fc.property(
      anySize,
      anySize,
      fc.nat(6),
      fc.nat(),
      (height, width, n, seed) => {
        const rows = drawn(height, width, Math.min(n, height));
        const text = drawingText({ prompt: "a cat & a dog", top_k: 7 }, {
          seed,
          rows: [rows],
        });
        const read = drawingFromText(text)!;
        deepStrictEqual(read.settings, {
          prompt: "a cat & a dog",
          top_k: 7,
          seed,
        });
        strictEqual(read.known.seed, seed);
        const [back] = read.known.rows;
        if (rows.count === 0) return strictEqual(back, undefined);
        strictEqual(back!.height, height);
        deepStrictEqual(back!.grid, rows.grid);
      },
    ),
  );
});

Deno.test("drawingText() omits the rows of several pictures", () => {
  const rows = [drawn(2, 2, 1), drawn(2, 2, 1)];
  const text = drawingText({ prompt: "a", n: 2 }, { seed: 3, rows });
  deepStrictEqual(drawingFromText(text), {
    settings: { prompt: "a", n: 2, seed: 3 },
    known: { seed: 3, rows: [] },
  });
});

Deno.test("drawingFromText() rejects invalid text, and drops invalid rows", () => {
  strictEqual(drawingFromText("x=1"), undefined);
  for (const codes of ["codes=zz", "codes=2x2.AAAA&rows=1", "rows=9"]) {
    deepStrictEqual(drawingFromText(`prompt=a&${codes}`)?.known.rows, []);
  }
});

Deno.test("drawingFromText() inverts drawingText() of a clip and its given frames", () => {
  const settings = { prompt: "a", frames: 12, fps: 5, seed: 3 };
  const codes = Uint16Array.of(1, 2, 3, 4);
  const context = { frames: 1, height: 2, width: 2, codes, framesPerCode: 4 };
  const begun = { seed: 3, rows: [], context };
  deepStrictEqual(drawingFromText(drawingText(settings, begun)), {
    settings,
    known: begun,
  });
  const rows = new DrawnRows(
    { height: 6, width: 2 },
    { codes: [[1, 2], [3, 4], [5, 6]] },
    2,
  );
  const known = { seed: 3, rows: [rows], context };
  deepStrictEqual(drawingFromText(drawingText(settings, known)), {
    settings,
    known,
  });
});
