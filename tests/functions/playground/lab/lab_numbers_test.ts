import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { readNpy } from "../../../../lib/npy.ts";
import {
  describePsnr,
  difference,
} from "../../../../functions/playground/lab/difference.js";
import { npyOf } from "../../../../functions/playground/lab/npy.js";

Deno.test("npyOf() writes files that the server reads", () => {
  const side = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(fc.array(side, { minLength: 2, maxLength: 3 }), (shape) => {
      const count = shape.reduce((product, length) => product * length, 1);
      const codes = Uint16Array.from({ length: count }, (_, i) => i * 257);
      const file = npyOf(codes, shape);
      const read = readNpy(file);
      deepStrictEqual([...read.shape], shape);
      deepStrictEqual([...read.values], [...codes]);
      strictEqual((file.length - count * 2) % 64, 0);
    }),
  );
});

Deno.test("difference() of equal pictures is zero", () => {
  const pixels = Uint8ClampedArray.from([1, 2, 3, 255, 4, 5, 6, 255]);
  const { psnr, worst, pixels: shown } = difference(pixels, pixels, 4);
  strictEqual(psnr, Infinity);
  strictEqual(worst, 0);
  deepStrictEqual([...shown], [0, 0, 0, 255, 0, 0, 0, 255]);
  strictEqual(describePsnr(psnr), "no difference");
});

Deno.test("difference() computes PSNR by the formula, ignoring transparency", () => {
  const a = Uint8ClampedArray.from([0, 0, 0, 0]);
  const b = Uint8ClampedArray.from([255, 0, 0, 255]);
  const { psnr, worst, pixels } = difference(a, b, 2);
  // One of three channels differs by the maximum.
  ok(Math.abs(psnr - 10 * Math.log10(3)) < 1e-9);
  strictEqual(worst, 255);
  deepStrictEqual([...pixels], [255, 0, 0, 255]);
  strictEqual(describePsnr(psnr), "PSNR 4.8 dB");
  strictEqual(difference(b, a, 2).psnr, psnr);
});

Deno.test("difference() rejects pictures of different sizes", () => {
  throws(
    () => difference(new Uint8ClampedArray(4), new Uint8ClampedArray(8), 1),
    /their sizes differ/,
  );
});
