import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { DrawnGrid, type DrawnRow } from "../../../lib/drawing/drawn_grid.ts";
import { pictureLayout } from "../../../lib/drawing/token_layout.ts";
import { gridTokens, slotAt } from "../../../lib/grid.ts";
import { TOY_VOCABULARY } from "../../support/toy_drawing.ts";

const anyGiven = fc.record({
  height: fc.integer({ min: 1, max: 6 }),
  width: fc.integer({ min: 1, max: 6 }),
  given: fc.nat(5),
}).filter(({ height, given }) => given < height);

function drawnGrid(
  { height, width, given }: { height: number; width: number; given: number },
  onRow: (row: DrawnRow) => void = () => {},
) {
  const codes = new Uint16Array(given * width).fill(3);
  const prefix = given === 0 ? undefined : { height: given, width, codes };
  const options = {
    size: { height, width },
    layout: pictureLayout({ height, width }, TOY_VOCABULARY),
    prefix,
    logprobs: 0,
    resumeState: undefined,
  };
  return new DrawnGrid(TOY_VOCABULARY, options, onRow);
}

Deno.test("positionIdOf() and tokensOf() return the position and the tokens of each code in the layout", () => {
  fc.assert(fc.property(anyGiven, (shape) => {
    const drawn = drawnGrid(shape);
    const rest = { height: shape.height - shape.given, width: shape.width };
    const tokens: number[] = [];
    for (let position = drawn.start; position < drawn.end; position++) {
      strictEqual(drawn.positionIdOf(position), tokens.length);
      strictEqual(slotAt(tokens.length, rest), "code");
      tokens.push(...drawn.tokensOf(position, position % 16));
    }
    const codes = Uint16Array.from(
      { length: rest.height * rest.width },
      (_, i) => (drawn.start + i) % 16,
    );
    const all = gridTokens({ ...rest, codes }, TOY_VOCABULARY);
    // EOF and EOI belong to no code.
    deepStrictEqual(tokens, [...all.slice(0, -2)]);
  }));
});

Deno.test("decide() reports a row once it and all above are complete, in any order of growth", () => {
  const reported: number[] = [];
  const shape = { height: 3, width: 2, given: 0 };
  const drawn = drawnGrid(shape, ({ index }) => reported.push(index));
  const decide = (position: number) =>
    drawn.decide(position, position, new Float32Array(16));
  [0, 2, 3].forEach(decide);
  deepStrictEqual(reported, []);
  decide(1);
  deepStrictEqual(reported, [0, 1]);
  strictEqual(drawn.countIn(2), 0);
  [4, 5].forEach(decide);
  deepStrictEqual(reported, [0, 1, 2]);
  deepStrictEqual([...drawn.grid.codes], [0, 1, 2, 3, 4, 5]);
});

Deno.test("DrawnGrid copies the given rows, and counts them as done", () => {
  const drawn = drawnGrid({ height: 3, width: 2, given: 2 });
  deepStrictEqual([...drawn.grid.codes], [3, 3, 3, 3, 0, 0]);
  deepStrictEqual([0, 1, 2].map((row) => drawn.countIn(row)), [2, 2, 0]);
  strictEqual(drawn.codeAt(1), 3);
  strictEqual(drawn.start, 4);
  strictEqual(drawn.end, 6);
});
