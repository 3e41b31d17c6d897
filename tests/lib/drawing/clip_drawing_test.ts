import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { DrawnGrid } from "../../../lib/drawing/drawn_grid.ts";
import {
  drawnLength,
  forcedAfter,
  rowsAsTokens,
  type TokenLayout,
} from "../../../lib/drawing/token_layout.ts";
import type { CodeGrid, GridSize } from "../../../lib/grid.ts";
import { distributionDifference } from "../../support/enumerate.ts";
import { toyModel } from "../../support/plain_loop.ts";
import {
  drawToy,
  exactDistribution,
  strategyDistribution,
  TOY_VOCABULARY,
  toyOptions,
  toyVocabulary,
} from "../../support/toy_drawing.ts";

const { eol, eof, eoi, boi, img } = TOY_VOCABULARY;

/** Layouts of clips with frames of `frameHeight` rows, by name. */
const LAYOUTS: Readonly<Record<string, Omit<TokenLayout, "frameHeight">>> = {
  paper: { afterRow: [eol], afterFrame: [eof], endLength: 4 },
  frames: { afterRow: [], afterFrame: [eof], endLength: 3 },
  interleaved: {
    afterRow: [],
    afterFrame: [eof, eoi, boi, 1, 2, img],
    endLength: 3,
  },
};

/** A clip's frames, with a number of given ones, in any layout. */
const anyClip = fc.record({
  frames: fc.integer({ min: 1, max: 4 }),
  frameHeight: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 4 }),
  given: fc.nat(3),
  form: fc.constantFrom(...Object.values(LAYOUTS)),
  seed: fc.nat(1000),
}).filter(({ frames, given }) => given < frames)
  .map(({ frames, frameHeight, width, given, form, seed }) => {
    const codes = new Uint16Array(given * frameHeight * width).fill(7);
    const prefix: CodeGrid | undefined = given === 0
      ? undefined
      : { height: given * frameHeight, width, codes };
    return {
      size: { height: frames * frameHeight, width },
      layout: { frameHeight, ...form },
      prefix,
      seed,
    };
  });

const anyStrategy = fc.oneof(
  fc.constant({ name: "autoregressive" } as const),
  fc.record({
    name: fc.constant("jacobi" as const),
    window: fc.integer({ min: 1, max: 9 }),
  }),
);

Deno.test("rowsAsTokens() is what a drawing of the same codes appends, without the end", () => {
  fc.assert(fc.property(anyClip, ({ size, layout, prefix }) => {
    const options = { ...toyOptions(size, { layout }), prefix };
    const drawn = new DrawnGrid(TOY_VOCABULARY, options, () => {});
    const codes = Uint16Array.from(
      { length: size.height * size.width },
      (_, i) => i % 16,
    );
    const appended: number[] = [];
    for (let at = drawn.start; at < drawn.end; at++) {
      strictEqual(drawn.positionIdOf(at), appended.length);
      appended.push(...drawn.tokensOf(at, codes[at]!));
    }
    const from = prefix?.height ?? 0;
    const tokens = rowsAsTokens(
      layout,
      { ...size, codes },
      TOY_VOCABULARY,
      from,
    );
    deepStrictEqual(appended, [...tokens]);
    strictEqual(
      drawnLength(layout, size, from),
      tokens.length - forcedAfter(layout, size.height - 1).length,
    );
  }));
});

Deno.test("A clip's drawing never appends its last code", () => {
  fc.assert(fc.property(anyClip, anyStrategy, (clip, strategy) => {
    const options = toyOptions(clip.size, { ...clip, strategy });
    const { appended } = drawToy(
      options,
      toyModel(TOY_VOCABULARY, { seed: clip.seed }),
    );
    const length = drawnLength(
      clip.layout,
      clip.size,
      clip.prefix?.height ?? 0,
    );
    ok([...appended.keys()].every((place) => place < length - 1));
  }));
});

Deno.test("A clip's drawing stopped anywhere continues as if it had not", () => {
  fc.assert(
    fc.property(anyClip, anyStrategy, fc.nat(), (clip, strategy, at) => {
      const options = toyOptions(clip.size, { ...clip, strategy, logprobs: 1 });
      const model = toyModel(TOY_VOCABULARY, { seed: clip.seed });
      const whole = drawToy(options, model);
      const resumeState = whole.resumeStates[at % whole.resumeStates.length];
      const rest = drawToy({ ...options, resumeState }, model);
      deepStrictEqual(rest.codes, whole.codes);
      deepStrictEqual(rest.rows, whole.rows);
    }),
  );
});

Deno.test("A greedy clip's first frames given, the rest is drawn again", () => {
  fc.assert(fc.property(anyClip, anyStrategy, (clip, strategy) => {
    const sampling = { temperature: 0, topK: 0, topP: 1 };
    const model = toyModel(TOY_VOCABULARY, { seed: clip.seed });
    const { size, layout } = clip;
    const whole = drawToy(
      toyOptions(size, { layout, strategy, sampling }),
      model,
    );
    const height = clip.prefix?.height ?? 0;
    if (height === 0) return;
    const codes = Uint16Array.from(whole.codes.slice(0, height * size.width));
    const given = { height, width: size.width, codes };
    // The toy model reads what is appended: the given rows are its prompt.
    const before = [...rowsAsTokens(layout, given, TOY_VOCABULARY)];
    const rest = drawToy(
      toyOptions(size, { layout, strategy, sampling, prefix: given }),
      model,
      TOY_VOCABULARY,
      before,
    );
    deepStrictEqual(rest.codes, whole.codes);
  }));
});

const SMALL: readonly (GridSize & { readonly frameHeight: number })[] = [
  { height: 2, width: 2, frameHeight: 1 },
  { height: 4, width: 1, frameHeight: 2 },
  { height: 3, width: 2, frameHeight: 1 },
];

for (const [name, form] of Object.entries(LAYOUTS)) {
  for (const window of [2, 4]) {
    Deno.test(`JacobiDrawing samples the clips of autoregressive decoding, ${name}, window ${window}`, () => {
      const vocabulary = toyVocabulary(2);
      for (const { frameHeight, ...size } of SMALL) {
        const model = toyModel(vocabulary, { seed: 3 });
        const options = toyOptions(size, {
          layout: { frameHeight, ...form },
          strategy: { name: "jacobi", window },
        });
        const difference = distributionDifference(
          strategyDistribution(options, model, vocabulary),
          exactDistribution(options, model, vocabulary),
        );
        ok(difference < 1e-12, `laws differ by ${difference}`);
      }
    });
  }
}

Deno.test("DrawnGrid guesses a thing that moves a step further, and what stays in place", () => {
  const width = 5;
  const size = { height: 5, width };
  const layout = { frameHeight: 1, ...LAYOUTS.frames! };
  const codes = Uint16Array.of(7, 8, 0, 0, 0, 0, 7, 8, 0, 0);
  const drawn = new DrawnGrid(
    TOY_VOCABULARY,
    { ...toyOptions(size, { layout }), prefix: { height: 2, width, codes } },
    () => {},
  );
  const guesses = (frame: number) =>
    Array.from({ length: width }, (_, x) => drawn.guessOf(frame * width + x));
  // Frame 2 is guessed from frame 1: 0 0 7 8 0.
  deepStrictEqual(guesses(2), [5, 5, 6, 7, 9]);
  // Frame 3, while frame 2 is not decided, from there: 0 0 0 7 8.
  deepStrictEqual(guesses(3), [10, 11, 11, 12, 13]);
  // A frame of noise has no motion.
  for (const [x, code] of [3, 1, 4, 6, 5].entries()) {
    drawn.decide(2 * width + x, code, new Float32Array());
  }
  deepStrictEqual(guesses(3), [10, 11, 12, 13, 14]);
});

Deno.test("DrawnGrid guesses from earlier positions only", () => {
  fc.assert(fc.property(anyClip, fc.nat(), ({ size, layout, seed }, count) => {
    const options = toyOptions(size, { layout });
    const drawn = new DrawnGrid(TOY_VOCABULARY, options, () => {});
    const decided = count % drawn.end;
    for (let position = 0; position < decided; position++) {
      drawn.decide(position, (position * seed) % 3, new Float32Array());
    }
    for (let at = Math.max(1, decided); at < drawn.end; at++) {
      const guess = drawn.guessOf(at)!;
      ok(guess >= 0 && guess < at, `${guess} for ${at}`);
    }
  }));
});

Deno.test("DrawnGrid guesses a code by the frame before, in the first frame by the row above", () => {
  const size = { height: 4, width: 3 };
  const layout = { frameHeight: 2, ...LAYOUTS.frames! };
  const drawn = new DrawnGrid(
    TOY_VOCABULARY,
    toyOptions(size, { layout }),
    () => {},
  );
  deepStrictEqual(
    Array.from({ length: 12 }, (_, position) => drawn.guessOf(position)),
    [undefined, 0, 1, 0, 1, 2, 0, 1, 2, 3, 4, 5],
  );
});
