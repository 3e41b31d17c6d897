import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { decodeImage } from "../../../lib/image/decode.ts";
import { encodePng } from "../../../lib/image/encode_png.ts";
import { readChunks, soundData } from "../../../lib/image/format/png.ts";
import { anyImage, paint } from "../../support/pictures.ts";
import { textsOf } from "../../support/png_texts.ts";

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
    deepStrictEqual(textsOf(encodePng(dot, { text })), Object.entries(text));
  }));
});

Deno.test("encodePng() refuses an invalid keyword", () => {
  for (const keyword of ["", "π", "a\0b", "x".repeat(80)]) {
    throws(() => encodePng(dot, { text: { [keyword]: "" } }), RangeError);
  }
});

Deno.test("soundData() detects a flipped bit in chunks that the picture needs", () => {
  const bytes = encodePng(paint(5, 5, (y, x) => [y, x, 0]), {});
  const [, data] = readChunks(bytes);
  strictEqual(data?.type, "IDAT");
  soundData(bytes, data);
  bytes[data.at + 11]! ^= 1;
  throws(() => soundData(bytes, data), /a checksum is invalid/);
});
