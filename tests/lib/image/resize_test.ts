// deno-lint-ignore-file camelcase -- the golden files' own keys
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { resizeBicubic } from "../../../lib/image/resize.ts";
import {
  anyImage,
  goldenImage,
  goldenJson,
  maxLevelDifference,
  paint,
} from "../../support/pictures.ts";

interface Entry {
  file: string;
  resized_hw: [number, number];
  expected?: string;
  decoded_rgb?: string;
  format: string;
}

Deno.test("resizeBicubic() equals Pillow on every golden picture", async () => {
  const entries: Entry[] = goldenJson("preprocess/preprocess.json").files;
  let compared = 0;
  for (const entry of entries) {
    if (entry.expected === undefined || /BMP|TIFF/.test(entry.format)) continue;
    // Lossy pictures start from Pillow's own decoding.
    const source = await goldenImage(entry.decoded_rgb ?? entry.file);
    const [height, width] = entry.resized_hw;
    const resized = resizeBicubic(source, { height, width });
    const expected = await goldenImage(entry.expected);
    strictEqual(maxLevelDifference(resized, expected), 0, entry.file);
    compared++;
  }
  strictEqual(compared, 44);
});

Deno.test("resizeBicubic() runs vertically first if mostly height is lost", async () => {
  const files = [
    "rgb.png",
    "geo_down41x333_68x333.png",
    "geo_tie12x20_44x36.png",
  ];
  for (const file of files) {
    const image = await goldenImage(`preprocess/${file}`);
    const expected = await goldenImage(`preprocess/expected/${file}.png`);
    const { height, width } = expected;
    const wide = resizeBicubic(image, { height: image.height, width });
    const widthFirst = resizeBicubic(wide, { height, width });
    strictEqual(maxLevelDifference(widthFirst, expected) > 0, true, file);
  }
});

Deno.test("resizeBicubic() returns a picture that has the size itself", () => {
  const image = paint(3, 4, (y, x) => [y, x, 7]);
  strictEqual(resizeBicubic(image, { height: 3, width: 4 }), image);
});

Deno.test("resizeBicubic() keeps a picture of one color", () => {
  const side = fc.integer({ min: 1, max: 40 });
  const level = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(side, side, side, side, level, (h, w, height, width, l) => {
      const plain = paint(h, w, () => [l, 255 - l, 128]);
      const resized = resizeBicubic(plain, { height, width });
      deepStrictEqual(resized, paint(height, width, () => [l, 255 - l, 128]));
    }),
  );
});

Deno.test("resizeBicubic() commutes with mirroring when the size fits", () => {
  const side = fc.integer({ min: 1, max: 20 });
  fc.assert(fc.property(anyImage(12), side, side, (image, height, width) => {
    const mirror = (of: typeof image) =>
      paint(of.height, of.width, (y, x) => {
        const at = (y * of.width + of.width - 1 - x) * 3;
        return [of.pixels[at]!, of.pixels[at + 1]!, of.pixels[at + 2]!];
      });
    const size = { height, width };
    const difference = maxLevelDifference(
      mirror(resizeBicubic(image, size)),
      resizeBicubic(mirror(image), size),
    );
    // Centers are not exact in floating point, so a weight may differ in its
    // last bit, and a sample on the edge of rounding by a level per pass.
    strictEqual(difference <= 2, true, `${difference}`);
  }));
});

Deno.test("resizeBicubic() refuses a size without pixels", () => {
  const image = paint(2, 2, () => [0, 0, 0]);
  throws(() => resizeBicubic(image, { height: 0, width: 2 }), RangeError);
  throws(() => resizeBicubic(image, { height: 2, width: 1.5 }), RangeError);
});
