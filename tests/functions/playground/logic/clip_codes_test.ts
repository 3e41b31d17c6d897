/** Laws of a clip's codes in the page. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  clipCodes,
  cutClip,
  frameSize,
  wireClip,
} from "../../../../functions/playground/logic/clip_codes.js";
import {
  codesFromText,
  codesToText,
} from "../../../../functions/playground/logic/codes_text.js";

const side = fc.integer({ min: 1, max: 5 });
const clips = fc.tuple(side, side, side, fc.constantFrom(1, 4)).map(
  ([frames, height, width, framesPerCode]) => ({
    frames,
    height,
    width,
    codes: Uint16Array.from({ length: frames * height * width }, (_, i) => i),
    framesPerCode,
  }),
);

Deno.test("clipCodes() inverts wireClip()", () => {
  fc.assert(fc.property(clips, (clip) => {
    const wire = wireClip(clip);
    deepStrictEqual(clipCodes(wire, 4), clip);
    strictEqual(wire.frames_per_code, clip.framesPerCode === 1 ? 1 : undefined);
  }));
});

Deno.test("cutClip() splits a clip without loss", () => {
  fc.assert(fc.property(clips, fc.nat(5), (clip, at) => {
    const count = Math.min(at, clip.frames);
    const first = cutClip(clip, 0, count);
    const rest = cutClip(clip, count, clip.frames);
    strictEqual(first.frames + rest.frames, clip.frames);
    deepStrictEqual([...first.codes, ...rest.codes], [...clip.codes]);
  }));
});

Deno.test("codesFromText() inverts codesToText() of clips", () => {
  fc.assert(fc.property(clips, ({ frames, height, width, codes }) => {
    const grid = { frames, height, width, codes };
    deepStrictEqual(codesFromText(codesToText(grid)), grid);
  }));
  strictEqual(codesFromText("2x1x1.AAA"), undefined);
  strictEqual(codesFromText("0x1x1."), undefined);
});

Deno.test("frameSize() keeps ratio and area, in whole codes", () => {
  deepStrictEqual(
    frameSize({ height: 200, width: 200 }, { area: 9216, side: 8 }),
    {
      height: 96,
      width: 96,
    },
  );
  const length = fc.integer({ min: 50, max: 2000 });
  fc.assert(fc.property(length, length, (height, width) => {
    const size = frameSize({ height, width }, { area: 256 ** 2, side: 8 });
    for (const pixels of [size.height, size.width]) strictEqual(pixels % 8, 0);
    // A side differs by half a code from the exact one at most.
    const scale = Math.sqrt(256 ** 2 / (height * width));
    ok(Math.abs(size.height - height * scale) <= 4 || size.height === 8);
    ok(Math.abs(size.width - width * scale) <= 4 || size.width === 8);
  }));
});
