import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  gridSizeFromPixels,
  gridSizeFromRatio,
  parseRatio,
  roundHalfEven,
} from "../../lib/aspect.ts";
import { GridError } from "../../lib/errors.ts";
import { goldenJson } from "../support/golden.ts";

/**
 * A ratio W:H, an area in pixels², height and width in codes or the reference's
 * error.
 */
type Row = [
  ratio: string,
  imageArea: number,
  expected: [number, number] | string,
];

const { rows } = goldenJson<{ rows: Row[] }>("generate_size.json");

/**
 * Inputs that only the reference accepts, with the reason for refusing them.
 */
const REFUSED_HERE: Readonly<Record<string, string>> = {
  "-1:-1 at 4096": "a negative size is no size",
  "5:1 at 64": "no row is left",
  "10:1 at 64": "no row is left",
  "1:5 at 64": "no column is left",
  "1:10 at 64": "no column is left",
  "1:20 at 64": "no column is left",
};

function sizeOf(ratio: string, imageArea: number): [number, number] {
  const { height, width } = gridSizeFromRatio(parseRatio(ratio), imageArea, 8);
  return [height, width];
}

Deno.test("gridSizeFromRatio() matches the reference on every ratio and area", () => {
  let compared = 0;
  const refusedHere = new Set<string>();
  for (const [ratio, area, expected] of rows) {
    const where = `${ratio} at ${area}`;
    if (typeof expected === "string") {
      throws(() => sizeOf(ratio, area), SyntaxError, where);
    } else if (Math.min(...expected) < 1) {
      throws(() => sizeOf(ratio, area), /SyntaxError|GridError/, where);
      refusedHere.add(where);
    } else {
      deepStrictEqual(sizeOf(ratio, area), expected, where);
      compared++;
    }
  }
  strictEqual(compared, 389);
  deepStrictEqual([...refusedHere].sort(), Object.keys(REFUSED_HERE).sort());
});

const oddButRead: Record<string, [width: number, height: number]> = {
  " 4 : 3 ": [4, 3],
  "+4:3": [4, 3],
  "1_0:5": [10, 5],
  "٤:٣": [4, 3],
  "१६:९": [16, 9],
  "１６:９": [16, 9],
  "𝟙𝟞:𝟡": [16, 9],
  "\t007:1\n": [7, 1],
};

for (const [text, [width, height]] of Object.entries(oddButRead)) {
  Deno.test(`parseRatio() reads ${JSON.stringify(text)}, as Python's int() does (trap 10)`, () => {
    deepStrictEqual(parseRatio(text), { width, height });
  });
}

const refused = [
  ...["", ":", "1", "1:", ":1", "1:1:1", "0:1", "1:0", "-1:-1", "-1:1"],
  ...["1.5:1", "a:b", "16x9", "1e3:1", "0x10:1", "1__0:1", "_1:1", "1_:1"],
  ...["+ 1:1", "++1:1", "1 0:1", "½:1", "Ⅳ:1", "四:三", "NaN:1", "Infinity:1"],
];

for (const text of refused) {
  Deno.test(`parseRatio() refuses ${JSON.stringify(text)}`, () => {
    throws(() => parseRatio(text), SyntaxError);
  });
}

Deno.test("gridSizeFromRatio() refuses infinite numbers", () => {
  const beyond = "9".repeat(400);
  for (const ratio of [`${beyond}:1`, `1:${beyond}`, `${beyond}:${beyond}`]) {
    throws(() => gridSizeFromRatio(parseRatio(ratio), 4096, 8), GridError);
  }
});

Deno.test("gridSizeFromRatio() transposes with the ratio", () => {
  const part = fc.integer({ min: 1, max: 40 });
  fc.assert(fc.property(part, part, (width, height) => {
    const upright = gridSizeFromRatio({ width, height }, 518_400, 8);
    const turned = gridSizeFromRatio(
      { width: height, height: width },
      518_400,
      8,
    );
    deepStrictEqual([upright.height, upright.width], [
      turned.width,
      turned.height,
    ]);
  }));
});

Deno.test("gridSizeFromPixels() inverts multiplication by the pixels of a code", () => {
  const side = fc.integer({ min: 1, max: 300 });
  fc.assert(fc.property(side, side, side, (height, width, factor) => {
    const size = { height: height * factor, width: width * factor };
    deepStrictEqual(gridSizeFromPixels(size, factor), { height, width });
  }));
});

Deno.test("gridSizeFromPixels() refuses sides that are not multiples of a code", () => {
  throws(
    () => gridSizeFromPixels({ height: 64, width: 60 }, 8),
    new GridError(
      "64 × 60 pixels are not a whole number of codes; both sides must be multiples of 8",
    ),
  );
  throws(() => gridSizeFromPixels({ height: 0, width: 8 }, 8), GridError);
});

Deno.test("roundHalfEven() is within a half, and even on halves", () => {
  const value = fc.oneof(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.integer({ min: -2000, max: 2000 }).map((twice) => twice / 2),
  );
  fc.assert(fc.property(value, (value) => {
    const rounded = roundHalfEven(value);
    const distance = Math.abs(rounded - value);
    ok(Number.isInteger(rounded) && distance <= 0.5);
    if (distance === 0.5) strictEqual(Math.abs(rounded % 2), 0);
  }));
});

Deno.test("roundHalfEven() is Python's round() where Math.round() is not (trap 10)", () => {
  deepStrictEqual(
    [0.5, 1.5, 2.5, 66.5, 67.5, -0.5, -1.5, 0.49999999999999994]
      .map((value) => roundHalfEven(value) + 0),
    [0, 2, 2, 66, 68, 0, -2, 0],
  );
});
