import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { ImageSizeError } from "../../../lib/errors.ts";
import { smartResize } from "../../../lib/vision/smart_resize.ts";
import { goldenJson } from "../../support/pictures.ts";
import { roundHalfEven } from "../../../lib/aspect.ts";

type Row = [
  height: number,
  width: number,
  minPixels: number,
  maxPixels: number,
  expected: [number, number] | string,
];

const released = { factor: 8, minPixels: 512 ** 2, maxPixels: 1024 ** 2 };

Deno.test("smartResize() equals the original on every golden row", () => {
  const rows: Row[] = goldenJson("preprocess/smart_resize.json").rows;
  for (const [height, width, minPixels, maxPixels, expected] of rows) {
    const options = { factor: 8, minPixels, maxPixels };
    const resize = () => smartResize({ height, width }, options);
    if (typeof expected === "string") {
      throws(resize, ImageSizeError, `${height}×${width}`);
    } else {
      const [h, w] = expected;
      deepStrictEqual(resize(), { height: h, width: w }, `${height}×${width}`);
    }
  }
});

Deno.test("smartResize() leaves its own results unchanged", () => {
  const side = fc.integer({ min: 300, max: 1400 });
  fc.assert(fc.property(side, side, (height, width) => {
    const once = smartResize({ height, width }, released);
    deepStrictEqual(smartResize(once, released), once);
  }));
});

Deno.test("smartResize() returns multiples of a code within the limits for real sides", () => {
  const side = fc.integer({ min: 8, max: 4000 });
  const sizes = fc.tuple(side, side).filter(([h, w]) =>
    Math.max(h, w) <= 5 * Math.min(h, w)
  );
  fc.assert(fc.property(sizes, ([height, width]) => {
    const size = smartResize({ height, width }, released);
    strictEqual(size.height % 8, 0);
    strictEqual(size.width % 8, 0);
    const area = size.height * size.width;
    ok(area >= released.minPixels && area <= released.maxPixels, `${area}`);
  }));
});

Deno.test("roundHalfEven() rounds ties to the even neighbor", () => {
  deepStrictEqual([0.5, 1.5, 2.5, 6.5, 2.4, 2.6].map(roundHalfEven), [
    0,
    2,
    2,
    6,
    2,
    3,
  ]);
});
