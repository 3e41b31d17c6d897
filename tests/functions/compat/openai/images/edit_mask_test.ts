import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { keptByAlpha } from "../../../../../functions/compat/openai/images/edit_mask.ts";
import { decodeImage } from "../../../../../lib/image/decode.ts";
import { maskPng } from "../../../../support/masks.ts";
import { sourcePicture } from "../../../../support/odd_pictures.ts";

const options = { decode: "alpha", maxPixels: 2 ** 20 } as const;

/** Returns the codes of a grid that stay under a mask. */
async function keptOf(
  size: { height: number; width: number },
  grid: { height: number; width: number },
  alpha: (y: number, x: number) => number,
): Promise<string> {
  const decoded = await decodeImage(maskPng(size, alpha), options);
  return (await keptByAlpha(decoded, grid)).join("");
}

Deno.test("decodeImage() returns the alpha channel, opaque for a picture without one", async () => {
  const size = { height: 2, width: 3 };
  const alphas = [0, 1, 127, 128, 254, 255];
  const mask = maskPng(size, (y, x) => alphas[3 * y + x]!);
  const { pixels } = await decodeImage(mask, options);
  deepStrictEqual(
    [...pixels],
    alphas.flatMap((alpha) => [alpha, alpha, alpha]),
  );
  const opaque = await decodeImage(sourcePicture("geo_tiny8_8x8.png"), options);
  strictEqual(opaque.pixels.every((alpha) => alpha === 255), true);
});

Deno.test("keptByAlpha() draws a code when any pixel of its square is fully transparent, and only then", async () => {
  const size = { height: 16, width: 24 };
  const grid = { height: 2, width: 3 };
  const hole = (top: number, left: number) => (y: number, x: number) =>
    y === top && x === left ? 0 : 1;
  strictEqual(await keptOf(size, grid, () => 1), "111111");
  strictEqual(await keptOf(size, grid, () => 0), "000000");
  strictEqual(await keptOf(size, grid, hole(0, 0)), "011111");
  strictEqual(await keptOf(size, grid, hole(7, 15)), "101111");
  strictEqual(await keptOf(size, grid, hole(8, 16)), "111110");
});

Deno.test("keptByAlpha() draws every code that a transparent pixel touches", async () => {
  const grid = { height: 1, width: 2 };
  const middle = (_: number, x: number) => x === 1 ? 0 : 255;
  strictEqual(await keptOf({ height: 1, width: 3 }, grid, middle), "00");
  // A mask smaller than the grid: each pixel covers several codes.
  const left = (_: number, x: number) => x === 0 ? 0 : 255;
  const wide = { height: 1, width: 4 };
  strictEqual(await keptOf({ height: 1, width: 2 }, wide, left), "0011");
});
