import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { type GridSize, gridTokens } from "../../../lib/grid.ts";
import { toyModel } from "../../support/plain_loop.ts";
import {
  anySize,
  drawToy,
  TOY_VOCABULARY,
  toyOptions,
} from "../../support/toy_drawing.ts";

const anyWindow = fc.integer({ min: 1, max: 9 });
const anySeed = fc.nat(1000);

/** A model that is always certain of the same code. */
const sure = { rows: 1, logits: () => Float32Array.of(0, 90, 0, 0) };

function zipar(size: GridSize, window: number) {
  return toyOptions(size, { strategy: { name: "zipar", window } });
}

Deno.test("ZiparDrawing with a window as wide as the picture equals autoregressive drawing", () => {
  fc.assert(fc.property(anySize, anySeed, (size, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed });
    const plain = drawToy(toyOptions(size), model);
    const wide = drawToy(zipar(size, size.width), model);
    deepStrictEqual(wide.codes, plain.codes);
    deepStrictEqual(wide.rows, plain.rows);
    strictEqual(wide.drafts.length, plain.drafts.length);
  }));
});

Deno.test("ZiparDrawing appends each token of the grid at its position, up to the code before the last", () => {
  fc.assert(fc.property(anySize, anyWindow, anySeed, (size, window, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed });
    const { appended, codes } = drawToy(zipar(size, window), model);
    const grid = { ...size, codes: Uint16Array.from(codes) };
    const tokens = gridTokens(grid, TOY_VOCABULARY).slice(0, -4);
    const found = Array.from(tokens, (_, place) => appended.get(place));
    deepStrictEqual(found, [...tokens]);
    strictEqual(appended.size, tokens.length);
  }));
});

Deno.test("ZiparDrawing keeps every appended code, and discards only EOL", () => {
  fc.assert(fc.property(anySize, anyWindow, anySeed, (size, window, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed });
    const { drafts } = drawToy(zipar(size, window), model);
    for (const [i, { kept }] of drafts.entries()) {
      const before = drafts[i - 1]?.tokens ?? [];
      const forgotten = before.slice(kept);
      ok(forgotten.length <= 1);
      ok(forgotten.every((token) => token === TOY_VOCABULARY.eol));
    }
  }));
});

Deno.test("ZiparDrawing starts a row a window and one code after the row above, for a model with one certain code", () => {
  for (const [height, width, window] of [[6, 9, 3], [4, 9, 7], [5, 8, 1]]) {
    const size = { height: height!, width: width! };
    const { drafts } = drawToy(zipar(size, window!), sure);
    // The prompt's logits decide the first code.
    strictEqual(drafts.length, width! - 1 + (height! - 1) * (window! + 1));
  }
});

Deno.test("ZiparDrawing waits for the row above when the model's choice changes with every code", () => {
  const size = { height: 3, width: 6 };
  let calls = 0;
  // A model that is certain of another code at each call.
  const logits = () => {
    const values = new Float32Array(16);
    values[calls++ % 16] = 90;
    return values;
  };
  const { drafts } = drawToy(zipar(size, 2), { rows: 1, logits });
  strictEqual(drafts.length, 3 * 6 - 1);
});

Deno.test("ZiparDrawing reports rows from the top, each once and complete", () => {
  fc.assert(fc.property(anySize, anyWindow, anySeed, (size, window, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed });
    const options = { ...zipar(size, window), logprobs: 2 };
    const { rows, codes } = drawToy(options, model);
    deepStrictEqual(rows.map(({ index }) => index), [
      ...Array(size.height).keys(),
    ]);
    deepStrictEqual(rows.flatMap(({ codes }) => [...codes]), codes);
    ok(rows.every(({ scores }) =>
      scores.length === size.width &&
      scores.every(({ logprob }) => Number.isFinite(logprob))
    ));
  }));
});

Deno.test("ZiparDrawing takes fewer forward passes than autoregressive drawing if rows are longer than its window", () => {
  const size = { height: 6, width: 12 };
  const { drafts } = drawToy(
    zipar(size, 3),
    toyModel(TOY_VOCABULARY, { levels: 1 }),
  );
  ok(drafts.length < 72 - 1, `${drafts.length}`);
});
