import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Orientation } from "../../../../lib/image/metadata/exif.ts";
import type { RgbImage } from "../../../../lib/image/image.ts";
import { orient } from "../../../../lib/image/metadata/orientation.ts";
import { paint } from "../../../support/pictures.ts";

/**
 * ```text
 * a b c
 * d e f
 * ```
 */
const stored = picture("abc", "def");

const upright: Record<Orientation, string[]> = {
  1: ["abc", "def"],
  2: ["cba", "fed"],
  3: ["fed", "cba"],
  4: ["def", "abc"],
  5: ["ad", "be", "cf"],
  6: ["da", "eb", "fc"],
  7: ["fc", "eb", "da"],
  8: ["cf", "be", "ad"],
};

for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8] as const) {
  Deno.test(`orient() turns by orientation ${orientation}`, () => {
    deepStrictEqual(
      orient(stored, orientation),
      picture(...upright[orientation]),
    );
  });
}

Deno.test("orient() returns an upright picture itself", () => {
  strictEqual(orient(stored, 1), stored);
});

function picture(...rows: string[]): RgbImage {
  return paint(rows.length, rows[0]!.length, (y, x) => {
    const level = rows[y]!.charCodeAt(x);
    return [level, level + 1, level + 2];
  });
}
