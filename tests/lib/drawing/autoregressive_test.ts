import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { gridTokens } from "../../../lib/grid.ts";
import { keyedChance } from "../../../lib/sampling/chance.ts";
import { guide } from "../../../lib/sampling/guidance.ts";
import { uniformAt } from "../../../lib/sampling/random.ts";
import { sample } from "../../../lib/sampling/sampler.ts";
import { statesOf, toyModel } from "../../support/plain_loop.ts";
import {
  anySize,
  drawToy,
  TOY_VOCABULARY,
  toyOptions,
} from "../../support/toy_drawing.ts";

const key = { seed: 42, stream: 3 };

Deno.test("AutoregressiveDrawing appends the grid's tokens up to the code before the last, and EOL together with the last code of each row", () => {
  fc.assert(fc.property(anySize, (size) => {
    const model = toyModel(TOY_VOCABULARY);
    const { codes, drafts } = drawToy(toyOptions(size), model);
    const grid = { ...size, codes: Uint16Array.from(codes) };
    const tokens = [...gridTokens(grid, TOY_VOCABULARY)];
    // The last code, its EOL, EOF and EOI are never appended.
    deepStrictEqual(
      drafts.flatMap(({ tokens }) => tokens),
      tokens.slice(0, -4),
    );
    for (const [position, { tokens, scored, kept }] of drafts.entries()) {
      const endsRow = (position + 1) % size.width === 0;
      strictEqual(tokens.length, endsRow ? 2 : 1);
      deepStrictEqual(scored, [tokens.length - 1]);
      strictEqual(kept, drafts[position - 1]?.tokens.length ?? 0);
    }
  }));
});

Deno.test("AutoregressiveDrawing samples guided logits with the random number of its stream at each position", () => {
  const sampling = { temperature: 0.9, topK: 9, topP: 0.95 };
  fc.assert(fc.property(anySize, (size) => {
    const model = toyModel(TOY_VOCABULARY, { rows: 2 });
    const { codes } = drawToy(
      toyOptions(size, {
        sampling,
        guidanceScale: 3,
        chanceAt: keyedChance(key),
      }),
      model,
    );
    const grid = { ...size, codes: Uint16Array.from(codes) };
    const states = statesOf([...gridTokens(grid, TOY_VOCABULARY)]);
    const expected = codes.map((_, position) => {
      const state = states[position + Math.floor(position / size.width)]!;
      const logits = model.logits(0, state);
      guide(logits, model.logits(1, state), 3);
      return sample(logits, sampling, () => uniformAt(key, position));
    });
    deepStrictEqual(codes, expected);
  }));
});
