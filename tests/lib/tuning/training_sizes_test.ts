import { deepStrictEqual, throws } from "node:assert/strict";
import { trainingSizes } from "../../../lib/tuning/training_sizes.ts";

const PUBLISHED = {
  factor: 8,
  minPixels: 512 * 512,
  maxPixels: 1024 * 1024,
  imageArea: 720 * 720,
};

const sizesOf = (
  height: number,
  width: number,
  resize: "released" | "smart" | "none",
) =>
  trainingSizes({ height, width }, { ...PUBLISHED, resize })
    .map((size) => [size.height, size.width]);

Deno.test("trainingSizes() resizes in the two steps of the released script", () => {
  deepStrictEqual(sizesOf(1080, 1920, "released"), [[540, 960], [544, 960]]);
  deepStrictEqual(sizesOf(100, 100, "released"), [[720, 720]]);
  deepStrictEqual(sizesOf(720, 720, "released"), []);
  deepStrictEqual(sizesOf(333, 1001, "released"), [[415, 1248], [416, 1248]]);
});

Deno.test("trainingSizes() resizes as the image processor does, or not at all", () => {
  deepStrictEqual(sizesOf(1080, 1920, "smart"), [[768, 1360]]);
  deepStrictEqual(sizesOf(480, 640, "smart"), []);
  deepStrictEqual(sizesOf(16, 24, "none"), []);
});

Deno.test("trainingSizes() refuses sizes that cannot be encoded", () => {
  throws(() => sizesOf(12, 16, "none"), /multiples of 8/);
  for (const resize of ["released", "smart"] as const) {
    throws(() => sizesOf(10, 100, resize), /at most 5 times/);
    throws(() => sizesOf(1, 10_000_000, resize), { name: "ImageSizeError" });
  }
});
