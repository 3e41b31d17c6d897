/**
 * The pictures for tests: golden files, arbitraries, and a difference.
 *
 * @module
 */

import { fail } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { decodeImage } from "../../lib/image/decode.ts";
import type { RgbImage } from "../../lib/image/image.ts";

/** Reads the bytes of `path` under `tests/golden`. */
export function goldenBytes(path: string): Uint8Array {
  return Deno.readFileSync(new URL(`../golden/${path}`, import.meta.url));
}

/** Reads the JSON of `path` under `tests/golden`. */
// deno-lint-ignore no-explicit-any -- its shape is the file's own
export function goldenJson(path: string): any {
  return JSON.parse(new TextDecoder().decode(goldenBytes(path)));
}

/** Decodes the picture in `path` under `tests/golden`, like the reference. */
export async function goldenImage(path: string): Promise<RgbImage> {
  const options = { decode: "reference", maxPixels: 10_000_000 } as const;
  return await decodeImage(goldenBytes(path), options);
}

/** Computes SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | Uint8ClampedArray): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Returns the largest difference of two pictures, in levels; fails if sizes
 * differ.
 */
export function maxLevelDifference(
  actual: RgbImage,
  expected: RgbImage,
): number {
  if (
    actual.height !== expected.height || actual.width !== expected.width ||
    actual.pixels.length !== expected.pixels.length
  ) {
    fail(
      `${actual.height}×${actual.width} is not ${expected.height}×${expected.width}`,
    );
  }
  let max = 0;
  for (let i = 0; i < actual.pixels.length; i++) {
    const difference = Math.abs(actual.pixels[i]! - expected.pixels[i]!);
    if (difference > max) max = difference;
  }
  return max;
}

/** Returns the arbitrary of pictures up to `maxSide` pixels per side. */
export function anyImage(maxSide: number): fc.Arbitrary<RgbImage> {
  const side = fc.integer({ min: 1, max: maxSide });
  return fc.tuple(side, side).chain(([height, width]) =>
    anyImageOf(height, width)
  );
}

/** Returns the arbitrary of pictures of the given size. */
export function anyImageOf(
  height: number,
  width: number,
): fc.Arbitrary<RgbImage> {
  const length = height * width * 3;
  return fc.uint8ClampedArray({ minLength: length, maxLength: length })
    .map((pixels) => ({ height, width, pixels }));
}

/** Paints a picture whose pixel at row y, column x is `color(y, x)`. */
export function paint(
  height: number,
  width: number,
  color: (y: number, x: number) => readonly [number, number, number],
): RgbImage {
  const pixels = new Uint8ClampedArray(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.set(color(y, x), (y * width + x) * 3);
    }
  }
  return { height, width, pixels };
}
