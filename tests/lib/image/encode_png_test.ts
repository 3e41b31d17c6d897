import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { decodeFrames, decodeImage } from "../../../lib/image/decode.ts";
import { encodeApng, encodePng } from "../../../lib/image/encode_png.ts";
import {
  readChunks,
  readPngHeader,
  soundData,
} from "../../../lib/image/format/png.ts";
import { anyImage, anyImageOf, paint } from "../../support/pictures.ts";

const options = { decode: "display", maxPixels: 1_000_000 } as const;
const dot = paint(1, 1, () => [1, 2, 3]);

Deno.test("encodePng() is lossless", async () => {
  await fc.assert(fc.asyncProperty(anyImage(12), async (image) => {
    deepStrictEqual(await decodeImage(encodePng(image, {}), options), image);
  }));
});

Deno.test("encodePng() is lossless for a large picture", async () => {
  const image = paint(300, 500, (y, x) => [x ^ y, (x * y) >> 3, x + y]);
  deepStrictEqual(await decodeImage(encodePng(image, {}), options), image);
});

Deno.test("encodePng() returns the same bytes for the same picture", () => {
  const text = { Seed: "1" };
  deepStrictEqual(encodePng(dot, { text }), encodePng(dot, { text }));
});

Deno.test("encodePng() writes any text under its keyword", () => {
  const keyword = fc.stringMatching(/^[a-zA-Z][a-zA-Z ]{0,20}[a-zA-Z]$/);
  const text = fc.dictionary(keyword, fc.string({ unit: "grapheme" }), {
    noNullPrototype: true,
  });
  fc.assert(fc.property(text, (text) => {
    deepStrictEqual(textOf(encodePng(dot, { text })), Object.entries(text));
  }));
});

Deno.test("encodePng() refuses an invalid keyword", () => {
  for (const keyword of ["", "π", "a\0b", "x".repeat(80)]) {
    throws(() => encodePng(dot, { text: { [keyword]: "" } }), RangeError);
  }
});

Deno.test("encodeApng() is lossless for every frame", async () => {
  const clip = fc.tuple(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 8 }),
  )
    .chain(([height, width]) =>
      fc.array(anyImageOf(height, width), { minLength: 1, maxLength: 5 })
    );
  await fc.assert(fc.asyncProperty(clip, async (frames) => {
    const bytes = encodeApng(frames, { framesPerSecond: 8 });
    deepStrictEqual(await decodeFrames(bytes, options), frames);
    deepStrictEqual(await decodeImage(bytes, options), frames[0]);
  }));
});

Deno.test("encodeApng() writes frames, delay and text", () => {
  const bytes = encodeApng([dot, dot, dot], {
    framesPerSecond: 12.5,
    text: { Seed: "7" },
  });
  strictEqual(readPngHeader(bytes).frames, 3);
  const controls = readChunks(bytes).filter(({ type }) => type === "fcTL");
  for (const { data } of controls) {
    const view = new DataView(data.buffer, data.byteOffset);
    strictEqual(view.getUint16(22) / view.getUint16(20), 12.5);
  }
  deepStrictEqual(textOf(bytes), [["Seed", "7"]]);
});

Deno.test("encodeApng() numbers controls and frame data in one sequence", () => {
  const bytes = encodeApng([dot, dot, dot], { framesPerSecond: 8 });
  const numbers = readChunks(bytes)
    .filter(({ type }) => type === "fcTL" || type === "fdAT")
    .map(({ data }) => new DataView(data.buffer, data.byteOffset).getUint32(0));
  deepStrictEqual(numbers, [0, 1, 2, 3, 4]);
});

Deno.test("encodeApng() refuses no frame, and frames of two sizes", () => {
  const wide = paint(1, 2, () => [0, 0, 0]);
  throws(() => encodeApng([], { framesPerSecond: 8 }), RangeError);
  throws(() => encodeApng([dot, wide], { framesPerSecond: 8 }), RangeError);
});

Deno.test("soundData() detects a flipped bit in chunks that the picture needs", () => {
  const bytes = encodePng(paint(5, 5, (y, x) => [y, x, 0]), {});
  const [, data] = readChunks(bytes);
  strictEqual(data?.type, "IDAT");
  soundData(bytes, data);
  bytes[data.at + 11]! ^= 1;
  throws(() => soundData(bytes, data), /a checksum is invalid/);
});

/** Returns keyword and text of every iTXt. */
function textOf(bytes: Uint8Array): [string, string][] {
  return readChunks(bytes).filter(({ type }) => type === "iTXt")
    .map(({ data }) => {
      const end = data.indexOf(0);
      deepStrictEqual([...data.subarray(end, end + 5)], [0, 0, 0, 0, 0]);
      const keyword = String.fromCharCode(...data.subarray(0, end));
      return [
        keyword,
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(
          data.subarray(end + 5),
        ),
      ];
    });
}
