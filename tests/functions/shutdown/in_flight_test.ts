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

/** Returns a clip of 3 frames of 2 × 2 codes in flight. */
function clipInFlight(
  changes: Parameters<typeof scene>[0] = {},
  interleaved = false,
) {
  const form = { format: "frames", interleaved, meta: "" } as const;
  const clip = { form, frames: 3, framesPerCode: 1, fps: 8 };
  const size = { height: 6, width: 2 };
  return new GenerationInFlight({}, scene({ clip, size, ...changes }));
}

Deno.test("DrawingUnderWay.clip() includes the given frames and whole ones, and is never the whole clip", () => {
  const prefix = { height: 2, width: 2, codes: Uint16Array.of(9, 9, 9, 9) };
  const drawing = clipInFlight({ prefix });
  const given = { frames: 1, height: 2, width: 2, framesPerCode: 1 };
  deepStrictEqual(drawing.clip(), { ...given, codes: prefix.codes });
  drawing.note(row(2));
  deepStrictEqual(drawing.clip(), { ...given, codes: prefix.codes });
  drawing.note(row(3));
  const codes = Uint16Array.of(9, 9, 9, 9, 4, 5, 6, 7);
  deepStrictEqual(drawing.clip(), { ...given, frames: 2, codes });
  drawing.note(row(4));
  drawing.note(row(5));
  strictEqual(drawing.clip()?.frames, 2);
  strictEqual(drawing.rows(), undefined);
});

Deno.test("DrawingUnderWay.clip() is undefined if frames cannot resume the clip", () => {
  const begun = [
    clipInFlight({ count: 2 }),
    clipInFlight({}, true),
    clipInFlight({ strategy: "zipar" }),
    new GenerationInFlight({}, scene()),
  ];
  for (const drawing of begun) {
    for (let i = 0; i < 3; i++) drawing.note(row(i));
  }
  deepStrictEqual(
    [clipInFlight(), ...begun].map((drawing) => drawing.clip()),
    Array.from({ length: 5 }, () => undefined),
  );
});
