import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { joinPngs } from "../../../../lib/image/animation/animated_png.ts";
import { decodeFrames, decodeImage } from "../../../../lib/image/decode.ts";
import { encodePng } from "../../../../lib/image/encode_png.ts";
import { readChunks, readPngHeader } from "../../../../lib/image/format/png.ts";
import { anyImageOf, paint } from "../../../support/pictures.ts";
import { textsOf } from "../../../support/png_texts.ts";

const options = { decode: "display", maxPixels: 1_000_000 } as const;
const dot = encodePng(paint(1, 1, () => [1, 2, 3]), {});

Deno.test("joinPngs() is lossless for every frame", async () => {
  const clip = fc.tuple(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 8 }),
  )
    .chain(([height, width]) =>
      fc.array(anyImageOf(height, width), { minLength: 1, maxLength: 5 })
    );
  await fc.assert(fc.asyncProperty(clip, async (frames) => {
    const pngs = frames.map((frame) => encodePng(frame, {}));
    const bytes = joinPngs(pngs, { framesPerSecond: 8 });
    deepStrictEqual(await decodeFrames(bytes, options), frames);
    deepStrictEqual(await decodeImage(bytes, options), frames[0]);
  }));
});

Deno.test("joinPngs() writes frames, delay and text", () => {
  const bytes = joinPngs([dot, dot, dot], {
    framesPerSecond: 12.5,
    text: { Seed: "7" },
  });
  strictEqual(readPngHeader(bytes).frames, 3);
  const controls = readChunks(bytes).filter(({ type }) => type === "fcTL");
  for (const { data } of controls) {
    const view = new DataView(data.buffer, data.byteOffset);
    strictEqual(view.getUint16(22) / view.getUint16(20), 12.5);
  }
  deepStrictEqual(textsOf(bytes), [["Seed", "7"]]);
});

Deno.test("joinPngs() numbers controls and frame data in one sequence", () => {
  const bytes = joinPngs([dot, dot, dot], { framesPerSecond: 8 });
  const numbers = readChunks(bytes)
    .filter(({ type }) => type === "fcTL" || type === "fdAT")
    .map(({ data }) => new DataView(data.buffer, data.byteOffset).getUint32(0));
  deepStrictEqual(numbers, [0, 1, 2, 3, 4]);
});

Deno.test("joinPngs() refuses no frame, frames of two sizes, and a rate out of range", () => {
  const wide = encodePng(paint(1, 2, () => [0, 0, 0]), {});
  throws(() => joinPngs([], { framesPerSecond: 8 }), RangeError);
  throws(() => joinPngs([dot, wide], { framesPerSecond: 8 }), RangeError);
  throws(() => joinPngs([dot], { framesPerSecond: 101 }), RangeError);
});
