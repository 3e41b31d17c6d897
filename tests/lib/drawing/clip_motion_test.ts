import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  type ClipMotion,
  clipMotion,
  movedFrom,
} from "../../../lib/drawing/clip_motion.ts";

const HEIGHT = 9;
const WIDTH = 10;
const BACKGROUND = 1;

/** The edge of the square. */
const EDGE = 3;

/** Returns a frame with a square of distinct codes at a place. */
function frameAt(top: number, left: number): Uint16Array<ArrayBuffer> {
  const codes = new Uint16Array(HEIGHT * WIDTH).fill(BACKGROUND);
  for (let i = 0; i < EDGE * EDGE; i++) {
    const y = top + Math.floor(i / EDGE);
    codes[y * WIDTH + left + i % EDGE] = 10 + i;
  }
  return codes;
}

const anyStep = fc.tuple(
  fc.integer({ min: -2, max: 2 }),
  fc.integer({ min: -2, max: 2 }),
).filter(([down, right]) => down !== 0 || right !== 0);

Deno.test("A square that moves on is guessed whole, with what it uncovers", () => {
  const anyMove = fc.record({
    step: anyStep,
    y: fc.integer({ min: 0, max: HEIGHT - EDGE }),
    x: fc.integer({ min: 0, max: WIDTH - EDGE }),
    frames: fc.integer({ min: 1, max: 2 }),
  }).filter(({ step: [down, right], y, x, frames }) => {
    const [bottom, end] = [y + (frames + 1) * down, x + (frames + 1) * right];
    return bottom >= 0 && bottom <= HEIGHT - EDGE &&
      end >= 0 && end <= WIDTH - EDGE;
  });
  fc.assert(fc.property(anyMove, ({ step: [down, right], y, x, frames }) => {
    const at = (time: number) => frameAt(y + time * down, x + time * right);
    const motion = clipMotion(at(0), at(1), WIDTH)!;
    deepStrictEqual([motion.down, motion.right], [down, right]);
    const before = at(frames);
    const guessed = before.map((_, place) =>
      before[movedFrom(motion, place, WIDTH, frames)]!
    );
    deepStrictEqual(guessed, at(frames + 1));
  }));
});

Deno.test("Frames that are equal, or have nothing in common, have no motion", () => {
  const still = frameAt(2, 2);
  strictEqual(clipMotion(still, still, WIDTH), undefined);
  const other = still.map((_, i) => 100 + i);
  strictEqual(clipMotion(still, other, WIDTH), undefined);
});

Deno.test("movedFrom() is a place of the frame, and the same one where nothing changed", () => {
  const area = HEIGHT * WIDTH;
  const anyFrame = fc.array(fc.integer({ min: 0, max: 2 }), {
    minLength: area,
    maxLength: area,
  }).map((codes) => Uint16Array.from(codes));
  fc.assert(
    fc.property(anyFrame, anyFrame, fc.integer({ min: 1, max: 4 }), (
      before,
      after,
      frames,
    ) => {
      const motion = clipMotion(before, after, WIDTH);
      if (motion === undefined) return;
      for (let place = 0; place < area; place++) {
        const source = movedFrom(motion, place, WIDTH, frames);
        ok(Number.isInteger(source) && source >= 0 && source < area);
        const still: ClipMotion = { ...motion, changed: new Uint8Array(area) };
        strictEqual(movedFrom(still, place, WIDTH, frames), place);
      }
    }),
  );
});
