import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  changes,
  cut,
  formatRows,
  gridOf,
  moved,
  painted,
  parseRows,
  pasted,
  patchBetween,
  rowsOf,
  swapped,
} from "../../../../functions/playground/lab/grid_edit.js";

const side = fc.integer({ min: 1, max: 6 });
const grids = fc.tuple(side, side).chain(([height, width]) =>
  fc.array(fc.integer({ min: 0, max: 40_000 }), {
    minLength: height * width,
    maxLength: height * width,
  }).map((codes) => ({ height, width, codes: Uint16Array.from(codes) }))
);

/** Arbitrary of a grid and two of its cells. */
const placed = grids.chain((grid) => {
  const cell = fc.record({
    row: fc.integer({ min: 0, max: grid.height - 1 }),
    column: fc.integer({ min: 0, max: grid.width - 1 }),
  });
  return fc.tuple(fc.constant(grid), cell, cell, cell);
});

Deno.test("gridOf() and parseRows() invert rowsOf() and formatRows()", () => {
  fc.assert(fc.property(grids, (grid) => {
    deepStrictEqual(gridOf({ codes: rowsOf(grid) }), grid);
    deepStrictEqual(parseRows(formatRows(grid)), grid);
  }));
});

Deno.test("pasted() of a patch that was cut at the same cell is the identity", () => {
  fc.assert(fc.property(placed, ([grid, a, b]) => {
    const patch = patchBetween(a, b);
    deepStrictEqual(pasted(grid, cut(grid, patch), patch), grid);
  }));
});

Deno.test("painted() changes its patch only", () => {
  fc.assert(fc.property(placed, ([grid, a, b]) => {
    const patch = patchBetween(a, b);
    const painting = painted(grid, patch, 50_000);
    strictEqual(changes(grid, painting), patch.height * patch.width);
    deepStrictEqual(pasted(painting, cut(grid, patch), patch), grid);
  }));
});

Deno.test("pasted() clips at the edges", () => {
  fc.assert(fc.property(placed, ([grid, a, b, to]) => {
    const next = pasted(grid, cut(grid, patchBetween(a, b)), to);
    strictEqual(next.codes.length, grid.codes.length);
  }));
});

Deno.test("swapped() preserves the codes of disjoint patches", () => {
  fc.assert(fc.property(placed, ([grid, a, , b]) => {
    const patch = { ...a, height: 1, width: 1 };
    const there = swapped(grid, patch, b);
    deepStrictEqual([...there.codes].sort(), [...grid.codes].sort());
    deepStrictEqual(swapped(there, patch, b), grid);
  }));
});

Deno.test("moved() fills the old cells with the given code", () => {
  const grid = gridOf({ codes: [[1, 2, 3], [4, 5, 6]] });
  const patch = { row: 0, column: 0, height: 1, width: 2 };
  const next = moved(grid, patch, { row: 1, column: 1 }, 9);
  deepStrictEqual(rowsOf(next), [[9, 9, 3], [4, 1, 2]]);
});

Deno.test("parseRows() rejects invalid numbers with their row", () => {
  throws(() => parseRows("1 2\n3"), /row 2 has 1, the first has 2/);
  throws(() => parseRows("1 2\n3 x"), /row 2 has a value that is not a code/);
  throws(() => parseRows("1 -2"), /row 1 has a value that is not a code/);
  throws(() => parseRows("1 70000"), /row 1 has a value that is not a code/);
});
