import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  clipFrameHeight,
  clipLayout,
  clipStart,
  type DrawnClip,
} from "../../lib/clip_layout.ts";
import { rowsAsTokens } from "../../lib/drawing/token_layout.ts";
import type { CodeGrid } from "../../lib/grid.ts";
import { CLIP_FORMS, clipOf } from "../support/clips.ts";
import { TINY_VOCABULARY } from "../support/golden.ts";

const { boi, img, eol, eof, eoi, firstCode } = TINY_VOCABULARY;

/** A writer whose tokens of a text are its UTF-16 units. */
const writer = {
  vocabulary: TINY_VOCABULARY,
  text: {
    encode: (text: string) =>
      Promise.resolve(Int32Array.from(text, (unit) => unit.charCodeAt(0))),
  },
};

function units(text: string): number[] {
  return Array.from(text, (unit) => unit.charCodeAt(0));
}

/** Returns frames of 1 row and 2 codes, counted up. */
function framesOf(count: number): CodeGrid {
  const codes = Uint16Array.from({ length: 2 * count }, (_, i) => i);
  return { height: count, width: 2, codes };
}

/** Returns the tokens from the opening to the first code that is drawn. */
async function start(
  clip: DrawnClip,
  rows: CodeGrid,
  given: number,
): Promise<number[]> {
  const size = { height: clip.frames, width: 2 };
  const layout = await clipLayout(writer, clip, size);
  const parts = await clipStart(writer, { clip, size, rows, given, layout });
  return parts.flatMap((part) => [...Array.from(part)]);
}

function code(index: number): number {
  return firstCode + index;
}

Deno.test("clipFrameHeight() is the height of all frames, divided", () => {
  strictEqual(clipFrameHeight({ frames: 3 }, { height: 12, width: 5 }), 4);
});

Deno.test("clipLayout() ends rows and frames of the paper's form, and only frames of the other", async () => {
  const size = { height: 6, width: 4 };
  deepStrictEqual(await clipLayout(writer, clipOf(CLIP_FORMS.paper, 3), size), {
    frameHeight: 2,
    afterRow: [eol],
    afterFrame: [eof],
    endLength: 4,
  });
  deepStrictEqual(await clipLayout(writer, clipOf(CLIP_FORMS.whole, 3), size), {
    frameHeight: 2,
    afterRow: [],
    afterFrame: [eof],
    endLength: 3,
  });
});

Deno.test("clipLayout() opens each later frame of an interleaved clip as a picture of one frame", async () => {
  const clip = clipOf(CLIP_FORMS.interleaved, 3);
  deepStrictEqual(await clipLayout(writer, clip, { height: 6, width: 4 }), {
    frameHeight: 2,
    afterRow: [],
    afterFrame: [eof, eoi, boi, ...units("1*2*4"), img],
    endLength: 3,
  });
});

Deno.test("clipStart() of a whole clip counts all frames, given and drawn", async () => {
  deepStrictEqual(await start(clipOf(CLIP_FORMS.whole, 3), framesOf(2), 2), [
    ...[boi, ...units("3*1*2"), img],
    ...[code(0), code(1), eof, code(2), code(3), eof],
  ]);
});

Deno.test("clipStart() of an interleaved clip counts the given and the drawn frames apart", async () => {
  const clip = clipOf(CLIP_FORMS.interleaved, 5);
  deepStrictEqual(await start(clip, framesOf(2), 2), [
    ...[boi, ...units("2*1*2"), img],
    ...[code(0), code(1), eof, code(2), code(3), eof, eoi],
    ...[boi, ...units("3*1*2"), img],
  ]);
  deepStrictEqual(await start(clip, framesOf(0), 0), [
    boi,
    ...units("5*1*2"),
    img,
  ]);
});

Deno.test("clipStart() of a resumed interleaved clip keeps the openings of frames drawn before", async () => {
  const clip = clipOf(CLIP_FORMS.interleaved, 4);
  deepStrictEqual(await start(clip, framesOf(3), 1), [
    ...[boi, ...units("1*1*2"), img, code(0), code(1), eof, eoi],
    ...[boi, ...units("3*1*2"), img, code(2), code(3)],
    ...[eof, eoi, boi, ...units("1*1*2"), img, code(4), code(5)],
    ...[eof, eoi, boi, ...units("1*1*2"), img],
  ]);
});

Deno.test("A template's placeholders are replaced everywhere, others stay", async () => {
  const meta =
    "{width}x{height} {frames}+{frames} {fps} {seconds} {constructor}";
  const form = { ...CLIP_FORMS.paper, meta };
  deepStrictEqual(await start(clipOf(form, 3, 24), framesOf(0), 0), [
    boi,
    ...units("2x1 3+3 24 0.5 {constructor}"),
    img,
  ]);
});

Deno.test("clipStart() after any frames is the start of the clip and their tokens, in forms with one opening", async () => {
  const anyStart = fc.record({
    name: fc.constantFrom("paper" as const, "whole" as const),
    frames: fc.integer({ min: 1, max: 5 }),
    frameHeight: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 1, max: 4 }),
    known: fc.nat(15),
    given: fc.nat(5),
  }).filter(({ frames, frameHeight, known, given }) =>
    known < frames * frameHeight && given * frameHeight <= known
  );
  await fc.assert(
    fc.asyncProperty(anyStart, async (one) => {
      const { name, frames, frameHeight, width, known, given } = one;
      const clip = clipOf(CLIP_FORMS[name], frames);
      const size = { height: frames * frameHeight, width };
      const layout = await clipLayout(writer, clip, size);
      const codes = new Uint16Array(known * width).fill(9);
      const rows = { height: known, width, codes };
      const [opening, ...after] = await clipStart(writer, {
        clip,
        size,
        rows,
        given,
        layout,
      });
      const meta = units(`${frames}*${frameHeight}*${width}`);
      deepStrictEqual([...Array.from(opening!)], [boi, ...meta, img]);
      deepStrictEqual(after, [rowsAsTokens(layout, rows, TINY_VOCABULARY)]);
    }),
  );
});
