/** Kept codes: inpainting in raster order, in every strategy. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  drawnCount,
  type KeptCodes,
  keptPrefix,
} from "../../../lib/drawing/kept_codes.ts";
import type { Strategy } from "../../../lib/drawing/strategy.ts";
import { firstRows, type GridSize } from "../../../lib/grid.ts";
import { keyedChance } from "../../../lib/sampling/chance.ts";
import { distributionOf } from "../../../lib/sampling/sampler.ts";
import { distributionDifference } from "../../support/enumerate.ts";
import { statesOf, toyModel } from "../../support/plain_loop.ts";
import {
  anySize,
  drawToy,
  exactDistribution,
  strategyDistribution,
  TOY_VOCABULARY,
  toyOptions,
  toyVocabulary,
} from "../../support/toy_drawing.ts";

const anySeed = fc.nat(1000);
const anyWindow = fc.integer({ min: 1, max: 9 });
const anyLossless: fc.Arbitrary<Strategy> = fc.oneof(
  fc.constant({ name: "autoregressive" } as const),
  fc.record({ name: fc.constant("jacobi" as const), window: anyWindow }),
);
const anyStrategy: fc.Arbitrary<Strategy> = fc.oneof(
  anyLossless,
  fc.record({ name: fc.constant("zipar" as const), window: anyWindow }),
);
const greedy = { temperature: 0, topK: 0, topP: 1 };

/** Generates kept codes of a grid, at least one of which is drawn. */
function anyKept(size: GridSize): fc.Arbitrary<KeptCodes> {
  const length = size.height * size.width;
  const each = { minLength: length, maxLength: length };
  return fc.record({
    codes: fc.array(fc.nat(TOY_VOCABULARY.codebookSize - 1), each),
    kept: fc.array(fc.nat(1), each).filter((kept) => kept.includes(0)),
  }).map(({ codes, kept }) => ({
    ...size,
    codes: Uint16Array.from(codes),
    kept: Uint8Array.from(kept),
  }));
}

const anyKeptSize = anySize.chain(anyKept);

Deno.test("drawingPolicy() keeps kept codes, and reports every row once, in every strategy", () => {
  fc.assert(
    fc.property(anyKeptSize, anyStrategy, anySeed, (keep, strategy, seed) => {
      const model = toyModel(TOY_VOCABULARY, { seed });
      const prefix = keptPrefix(keep);
      const { codes, rows } = drawToy(
        toyOptions(keep, { keep, prefix, strategy }),
        model,
      );
      for (const [position, stays] of keep.kept.entries()) {
        if (stays === 1) strictEqual(codes[position], keep.codes[position]);
      }
      const given = prefix?.height ?? 0;
      deepStrictEqual(
        rows.map(({ index }) => index),
        [...Array(keep.height).keys()].slice(given),
      );
      deepStrictEqual(
        rows.flatMap(({ codes }) => [...codes]),
        codes.slice(given * keep.width),
      );
    }),
  );
});

Deno.test("drawingPolicy() with a mask over everything equals the plain drawing of its seed", () => {
  fc.assert(
    fc.property(anySize, anyStrategy, anySeed, (size, strategy, seed) => {
      const model = toyModel(TOY_VOCABULARY, { seed });
      const length = size.height * size.width;
      const keep = {
        ...size,
        codes: new Uint16Array(length).fill(3),
        kept: new Uint8Array(length),
      };
      const plain = drawToy(toyOptions(size, { strategy }), model);
      const masked = drawToy(toyOptions(size, { strategy, keep }), model);
      deepStrictEqual(masked.codes, plain.codes);
      deepStrictEqual(masked.appended, plain.appended);
    }),
  );
});

Deno.test("drawingPolicy() draws a code between kept ones given all before it, by the draw of its position", () => {
  fc.assert(fc.property(anyKeptSize, anySeed, (keep, seed) => {
    const model = toyModel(TOY_VOCABULARY, { seed });
    const options = toyOptions(keep, { keep });
    const codes: number[] = [];
    const tokens: number[] = [];
    for (let position = 0; position < keep.codes.length; position++) {
      const logits = model.logits(0, statesOf(tokens).at(-1)!);
      const code = keep.kept[position] === 1
        ? keep.codes[position]!
        : options.chanceAt(position, 0)
          .pick(distributionOf(logits, options.sampling));
      codes.push(code);
      tokens.push(TOY_VOCABULARY.firstCode + code);
      if ((position + 1) % keep.width === 0) tokens.push(TOY_VOCABULARY.eol);
    }
    deepStrictEqual(drawToy(options, model).codes, codes);
  }));
});

Deno.test("drawingPolicy() agrees across lossless strategies around kept codes at temperature 0", () => {
  fc.assert(
    fc.property(anyKeptSize, anyLossless, anySeed, (keep, strategy, seed) => {
      const model = toyModel(TOY_VOCABULARY, { seed });
      const options = toyOptions(keep, { keep, sampling: greedy });
      deepStrictEqual(
        drawToy({ ...options, strategy }, model).codes,
        drawToy(options, model).codes,
      );
    }),
  );
});

Deno.test("JacobiDrawing around kept codes has the distribution of autoregressive drawing", () => {
  const vocabulary = toyVocabulary(3);
  const size = { height: 2, width: 3 };
  for (const kept of ["101100", "010101", "001110", "100001"]) {
    const keep = {
      ...size,
      codes: Uint16Array.of(0, 1, 2, 0, 1, 2),
      kept: Uint8Array.from(kept, Number),
    };
    for (const window of [1, 2, 4]) {
      const strategy = { name: "jacobi", window } as const;
      const model = toyModel(vocabulary, { seed: 1 });
      const options = toyOptions(size, { keep, strategy });
      const distribution = strategyDistribution(options, model, vocabulary);
      const exact = exactDistribution(options, model, vocabulary);
      ok(
        distributionDifference(distribution, exact) < 1e-9,
        `${kept}, window ${window}`,
      );
    }
  }
});

Deno.test("drawingPolicy() scores kept codes as drawn ones if each code is scored", () => {
  fc.assert(
    fc.property(anyKeptSize, anyStrategy, anySeed, (keep, strategy, seed) => {
      const model = toyModel(TOY_VOCABULARY, { seed });
      const { rows } = drawToy(
        toyOptions(keep, { keep, strategy, logprobs: 2 }),
        model,
      );
      ok(rows.every(({ scores }) => scores.length === keep.width));
    }),
  );
});

Deno.test("drawingPolicy() around kept codes resumes from anywhere as if it had not stopped", () => {
  fc.assert(
    fc.property(anyKeptSize, anyLossless, anySeed, (keep, strategy, seed) => {
      const model = toyModel(TOY_VOCABULARY, { seed });
      const options = toyOptions(keep, {
        keep,
        strategy,
        prefix: keptPrefix(keep),
        chanceAt: keyedChance({ seed, stream: 0 }),
      });
      const whole = drawToy(options, model);
      for (const resumeState of whole.resumeStates) {
        const rest = drawToy({ ...options, resumeState }, model);
        deepStrictEqual(rest.codes, whole.codes);
      }
    }),
  );
});

Deno.test("drawingPolicy() appends many kept codes per forward pass, and stops after the last generated one", () => {
  const size = { height: 4, width: 5 };
  const kept = new Uint8Array(20).fill(1);
  kept[7] = 0;
  const keep = { ...size, codes: new Uint16Array(20), kept };
  const model = toyModel(TOY_VOCABULARY);
  const { drafts } = drawToy(
    toyOptions(size, { keep, prefix: keptPrefix(keep) }),
    model,
  );
  strictEqual(drafts.length, 1);
});

Deno.test("keptPrefix() returns the rows above the first code that is drawn", () => {
  const size = { height: 3, width: 2 };
  const codes = Uint16Array.of(1, 2, 3, 4, 5, 6);
  const keptAs = (kept: string) => ({
    ...size,
    codes,
    kept: Uint8Array.from(kept, Number),
  });
  strictEqual(keptPrefix(keptAs("101111")), undefined);
  deepStrictEqual(
    keptPrefix(keptAs("111101")),
    firstRows({ ...size, codes }, 2),
  );
  strictEqual(drawnCount(keptAs("110100")), 3);
});
