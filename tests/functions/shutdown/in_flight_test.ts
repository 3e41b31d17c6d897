import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  type StrategyName,
  strategyOf,
} from "../../../lib/drawing/strategy.ts";
import type { GenerationParams } from "../../../lib/emu3.ts";
import {
  captioningInFlight,
  GenerationInFlight,
} from "../../../functions/shutdown/in_flight.ts";

function scene(
  changes: Partial<Omit<GenerationParams, "strategy">> & {
    strategy?: StrategyName;
  } = {},
): GenerationParams {
  const { strategy = "autoregressive", ...more } = changes;
  return {
    prompt: "a fox",
    negativePrompt: "",
    guidanceScale: 1,
    size: { height: 4, width: 2 },
    prefix: undefined,
    strategy: strategyOf(strategy),
    sampling: { temperature: 1, topK: 0, topP: 1 },
    seed: 7,
    count: 1,
    logprobs: 0,
    ...more,
  };
}

function row(index: number, imageIndex = 0) {
  const codes = Uint16Array.of(2 * index, 2 * index + 1);
  return {
    type: "row",
    imageIndex,
    row: { index, codes, scores: [] },
    resumeState: () => ({ codes, scores: [], guesses: undefined }),
    preview: undefined,
  } as const;
}

Deno.test("DrawingUnderWay.remainingMs() follows the pace of its rows", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 2, max: 4 }),
      (pace, rows) => {
        let now = 0;
        const drawing = new GenerationInFlight({}, scene(), () => now);
        strictEqual(drawing.remainingMs(), undefined);
        drawing.note({ type: "started" });
        for (let i = 0; i < rows; i++) {
          now += pace;
          drawing.note(row(i));
        }
        strictEqual(drawing.remainingMs(), pace * (4 - rows));
      },
    ),
  );
});

Deno.test("DrawingUnderWay.remainingMs() grows with a row that takes long", () => {
  let now = 0;
  const drawing = new GenerationInFlight({}, scene(), () => now);
  drawing.note({ type: "started" });
  strictEqual(drawing.remainingMs(), 0);
  now = 50;
  strictEqual(drawing.remainingMs(), 200);
  drawing.note(row(0));
  now = 60;
  drawing.note(row(1));
  now = 1060;
  strictEqual(drawing.remainingMs(), 2000);
});

Deno.test("DrawingUnderWay.rows() includes the given rows, and is never the whole picture", () => {
  const prefix = { height: 1, width: 2, codes: Uint16Array.of(8, 9) };
  const drawing = new GenerationInFlight({}, scene({ prefix }));
  deepStrictEqual(drawing.rows(), prefix);
  drawing.note(row(1));
  const two = { height: 2, width: 2, codes: Uint16Array.of(8, 9, 2, 3) };
  deepStrictEqual(drawing.rows(), two);
  drawing.note(row(2));
  drawing.note(row(3));
  strictEqual(drawing.rows()?.height, 3);
});

Deno.test("DrawingUnderWay.rows() is undefined if rows cannot resume the picture", () => {
  const none = new GenerationInFlight({}, scene());
  const several = new GenerationInFlight({}, scene({ count: 2 }));
  const lossy = new GenerationInFlight({}, scene({ strategy: "zipar" }));
  for (const drawing of [several, lossy]) drawing.note(row(0));
  several.note(row(0, 1));
  deepStrictEqual(
    [none, several, lossy].map((drawing) => drawing.rows()),
    [undefined, undefined, undefined],
  );
  strictEqual(several.resumeStates().length, 2);
  strictEqual(captioningInFlight({}, 1).remainingMs(), undefined);
});
