import { ok, strictEqual, throws } from "node:assert/strict";
import type { RgbImage } from "../../../lib/image/image.ts";
import { psnr, ssim } from "../../../lib/vision/fidelity.ts";
import { goldenJson } from "../../support/golden.ts";

interface FidelityCase {
  readonly height: number;
  readonly width: number;
  readonly strength: number;
  readonly psnr: number;
  readonly ssim: number;
}

/** Values of scikit-image, by tests/golden/fidelity/record.py. */
const { cases } = goldenJson<{ cases: FidelityCase[] }>(
  "fidelity/fidelity.json",
);

/** Returns the picture whose sample at (x, y, channel) is `level(…)`. */
function pictureOf(
  height: number,
  width: number,
  level: (x: number, y: number, c: number) => number,
): RgbImage {
  const pixels = Uint8ClampedArray.from(
    { length: height * width * 3 },
    (_, i) => {
      const pixel = Math.floor(i / 3);
      return level(pixel % width, Math.floor(pixel / width), i % 3);
    },
  );
  return { height, width, pixels };
}

const level = (x: number, y: number, c: number) =>
  (3 * x + 5 * y + 40 * c + (x * y) % 23) % 256;

for (const { height, width, strength, ...expected } of cases) {
  const name = `${height} × ${width}, noise ${strength}`;
  Deno.test(`psnr() and ssim() are scikit-image's for ${name}`, () => {
    const noise = (x: number, y: number, c: number) =>
      (x * x + 7 * y + 3 * c + x * y) % (2 * strength + 1) - strength;
    const a = pictureOf(height, width, level);
    const b = pictureOf(
      height,
      width,
      (x, y, c) => level(x, y, c) + noise(x, y, c),
    );
    near(psnr(a, b), expected.psnr);
    near(ssim(a, b), expected.ssim);
    strictEqual(psnr(b, a), psnr(a, b));
  });
}

function near(actual: number, expected: number): void {
  ok(
    Math.abs(actual - expected) < 1e-9 * Math.max(1, Math.abs(expected)),
    `${actual}, not ${expected}`,
  );
}

Deno.test("equal pictures have infinite PSNR and an SSIM of 1", () => {
  const picture = pictureOf(20, 30, level);
  const flat = pictureOf(20, 30, () => 255);
  for (const one of [picture, flat]) {
    strictEqual(psnr(one, one), Infinity);
    near(ssim(one, one), 1);
  }
});

Deno.test("psnr() and ssim() refuse pictures of two sizes, ssim() small ones", () => {
  const [a, b] = [pictureOf(12, 16, level), pictureOf(16, 12, level)];
  throws(
    () => psnr(a, b),
    /pictures of 12 × 16 and 16 × 12 pixels: the sizes must be equal/,
  );
  throws(() => ssim(a, b), RangeError);
  const small = pictureOf(10, 40, level);
  throws(() => ssim(small, small), /both must be at least 11/);
});
