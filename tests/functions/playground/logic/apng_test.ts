/** Laws of the APNG writer. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { decodeFrames } from "../../../../lib/image/decode.ts";
import { encodePng } from "../../../../lib/image/encode_png.ts";
import { animatedPng } from "../../../support/animations.ts";
import {
  apngOf,
  framesOfApng,
} from "../../../../functions/playground/logic/apng.js";

const PIXELS = { decode: "display", maxPixels: 1e6 } as const;

function picture(height: number, width: number, level: number) {
  const pixels = new Uint8ClampedArray(height * width * 3)
    .map((_, i) => level + 7 * i);
  return { height, width, pixels };
}

Deno.test("apngOf() keeps the pixels of each frame, in order", async () => {
  const anySide = fc.integer({ min: 1, max: 9 });
  const anyLevels = fc.array(fc.nat(255), { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(
      anySide,
      anySide,
      anyLevels,
      async (height, width, levels) => {
        const images = levels.map((level) => picture(height, width, level));
        const frames = images.map((image) => ({
          png: encodePng(image, { text: { Description: "a cat" } }),
          ms: 80,
        }));
        const back = await decodeFrames(apngOf(frames), PIXELS);
        deepStrictEqual(
          back.map(({ pixels }) => [...pixels]),
          images.map(({ pixels }) => [...pixels]),
        );
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("apngOf() writes durations in milliseconds", () => {
  const png = encodePng(picture(1, 1, 0), {});
  const bytes = apngOf([{ png, ms: 80 }, { png, ms: 2000 }]);
  const text = new TextDecoder("latin1").decode(bytes);
  const delays = [...text.matchAll(/fcTL/g)].map(({ index }) => {
    const view = new DataView(bytes.buffer, index + 4 + 20);
    return view.getUint16(0) / view.getUint16(2);
  });
  deepStrictEqual(delays, [0.08, 2]);
  strictEqual(text.includes("acTL\0\0\0\x02\0\0\0\0"), true);
});

Deno.test("apngOf() rejects frames of several sizes, and no frames", () => {
  const of = (width: number) => ({
    png: encodePng(picture(1, width, 0), {}),
    ms: 1,
  });
  throws(() => apngOf([of(1), of(2)]), RangeError);
  throws(() => apngOf([]), RangeError);
});

Deno.test("framesOfApng() splits the animations of the server and of the page", async () => {
  const images = [0, 80, 160].map((level) => picture(3, 5, level));
  const files = [
    animatedPng(images, { framesPerSecond: 8 }),
    apngOf(images.map((image) => ({ png: encodePng(image, {}), ms: 125 }))),
  ];
  for (const file of files) {
    const frames = framesOfApng(file);
    deepStrictEqual(frames.map(({ ms }) => ms), [125, 125, 125]);
    for (const [i, { png }] of frames.entries()) {
      const [still] = await decodeFrames(png, PIXELS);
      deepStrictEqual(still!.pixels, images[i]!.pixels);
    }
  }
});

Deno.test("framesOfApng() reads a still picture as one frame without duration", () => {
  const png = encodePng(picture(2, 2, 9), {});
  deepStrictEqual(framesOfApng(png), [{ png: Uint8Array.from(png), ms: 0 }]);
});
