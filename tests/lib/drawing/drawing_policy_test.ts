import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { STRATEGY_NAMES, strategyOf } from "../../../lib/drawing/strategy.ts";
import type { Strategy } from "../../../lib/drawing/strategy.ts";
import { type CodeGrid, gridTokens } from "../../../lib/grid.ts";
import { keyedChance } from "../../../lib/sampling/chance.ts";
import { guide } from "../../../lib/sampling/guidance.ts";
import { scoreToken } from "../../../lib/sampling/log_probabilities.ts";
import { statesOf, toyModel } from "../../support/plain_loop.ts";
import {
  anySize,
  drawToy,
  TOY_VOCABULARY,
  toyOptions,
} from "../../support/toy_drawing.ts";

const anySeed = fc.nat(1000);
const anyWindow = fc.integer({ min: 1, max: 9 });
const anyStrategy: fc.Arbitrary<Strategy> = fc.oneof(
  fc.constant({ name: "autoregressive" } as const),
  fc.record({ name: fc.constant("jacobi" as const), window: anyWindow }),
  fc.record({ name: fc.constant("zipar" as const), window: anyWindow }),
);
const key = { seed: 9, stream: 1 };

Deno.test("drawingPolicy() reports every row once, from the top, with the grid's codes", () => {
  fc.assert(
    fc.property(anySize, anyStrategy, anySeed, (size, strategy, seed) => {
      const model = toyModel(TOY_VOCABULARY, { seed });
      const { rows, codes } = drawToy(toyOptions(size, { strategy }), model);
      deepStrictEqual(rows.map(({ index }) => index), [
        ...Array(size.height).keys(),
      ]);
      deepStrictEqual(rows.flatMap(({ codes }) => [...codes]), codes);
      ok(rows.every(({ scores }) => scores.length === 0));
    }),
  );
});

Deno.test("drawingPolicy() keeps given rows, and draws the rest like a picture of its own", () => {
  const anyHeight = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(
      anySize,
      anyHeight,
      anyStrategy,
      anySeed,
      (size, given, strategy, seed) => {
        const model = toyModel(TOY_VOCABULARY, { seed });
        const codes = new Uint16Array(given * size.width).fill(7);
        const prefix: CodeGrid = { height: given, width: size.width, codes };
        const whole = { height: given + size.height, width: size.width };
        const chanceAt = keyedChance(key);
        // Given rows change the guesses, so jacobi has only the same
        // distribution.
        const temperature = strategy.name === "jacobi" ? 0 : 1;
        const sampling = { temperature, topK: 0, topP: 1 };
        const after = drawToy(
          toyOptions(whole, { prefix, strategy, sampling, chanceAt }),
          model,
        );
        const alone = drawToy(
          toyOptions(size, {
            strategy,
            sampling,
            chanceAt: (position, attempt) =>
              chanceAt(position + codes.length, attempt),
          }),
          model,
        );
        deepStrictEqual(after.codes, [...codes, ...alone.codes]);
        strictEqual(after.rows[0]?.index, given);
        deepStrictEqual(after.appended, alone.appended);
      },
    ),
  );
});

Deno.test("drawingPolicy() scores each code under the logits that decided it, given all before, if lossless", () => {
  const guidanceScale = 2.5;
  const lossless = anyStrategy.filter(({ name }) => name !== "zipar");
  fc.assert(fc.property(anySize, lossless, anySeed, (size, strategy, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed, rows: 2 });
    const { codes, rows } = drawToy(
      toyOptions(size, { strategy, guidanceScale, logprobs: 3 }),
      model,
    );
    const grid = { ...size, codes: Uint16Array.from(codes) };
    const states = statesOf([...gridTokens(grid, TOY_VOCABULARY)]);
    const expected = codes.map((code, position) => {
      const state = states[position + Math.floor(position / size.width)]!;
      const logits = model.logits(0, state);
      guide(logits, model.logits(1, state), guidanceScale);
      return scoreToken(logits, code, 3);
    });
    deepStrictEqual(rows.flatMap(({ scores }) => scores), expected);
  }));
});

Deno.test("drawingPolicy() uses no random number twice", () => {
  fc.assert(
    fc.property(anySize, anyStrategy, anySeed, (size, strategy, seed) => {
      const used = new Set<string>();
      const once = (name: string) => {
        ok(!used.has(name), `${name} again`);
        used.add(name);
      };
      const keyed = keyedChance({ seed, stream: 0 });
      const options = toyOptions(size, {
        strategy,
        chanceAt: (position, attempt) => ({
          accept: (probability) => {
            once(`accept ${position} ${attempt}`);
            return keyed(position, attempt).accept(probability);
          },
          pick: (distribution) => {
            once(`pick ${position} ${attempt}`);
            return keyed(position, attempt).pick(distribution);
          },
        }),
      });
      drawToy(options, toyModel(TOY_VOCABULARY, { seed, levels: 4 }));
    }),
  );
});

Deno.test("strategyOf() has settings for every name", () => {
  for (const name of STRATEGY_NAMES) {
    const strategy = strategyOf(name);
    strictEqual(strategy.name, name);
    const size = { height: 3, width: 20 };
    const { rows } = drawToy(
      toyOptions(size, { strategy }),
      toyModel(TOY_VOCABULARY),
    );
    strictEqual(rows.length, 3);
  }
});
