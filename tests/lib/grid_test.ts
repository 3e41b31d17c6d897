import { pictureLayout, rowsAsTokens } from "../../lib/drawing/token_layout.ts";
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { GridError } from "../../lib/errors.ts";
import {
  assertCodes,
  clipFrame,
  type CodeGrid,
  firstRows,
  gridFromRows,
  gridLength,
  gridTokens,
  parseGrid,
  rowsFromGrid,
  type Slot,
  slotAt,
} from "../../lib/grid.ts";
import {
  EMU3_VOCABULARY,
  goldenJson,
  TINY_VOCABULARY,
} from "../support/golden.ts";

const { codebookSize, eol, eof, eoi, firstCode } = EMU3_VOCABULARY;

const side = fc.integer({ min: 1, max: 12 });
const anyGrid: fc.Arbitrary<CodeGrid> = fc.tuple(side, side)
  .chain(([height, width]) => {
    const length = height * width;
    return fc.uint16Array({
      minLength: length,
      maxLength: length,
      max: codebookSize - 1,
    }).map((codes) => ({ height, width, codes: Uint16Array.from(codes) }));
  });

Deno.test("parseGrid() inverts gridTokens()", () => {
  fc.assert(fc.property(anyGrid, (grid) => {
    const tokens = gridTokens(grid, EMU3_VOCABULARY);
    strictEqual(tokens.length, gridLength(grid));
    deepStrictEqual(parseGrid(tokens, grid, EMU3_VOCABULARY), grid);
  }));
});

Deno.test("gridFromRows() inverts rowsFromGrid()", () => {
  fc.assert(fc.property(anyGrid, (grid) => {
    const rows = rowsFromGrid(grid);
    strictEqual(rows.length, grid.height);
    deepStrictEqual(gridFromRows(rows, codebookSize), grid);
  }));
});

Deno.test("gridTokens() closes every row, the frame and the picture", () => {
  const grid = { height: 2, width: 3, codes: Uint16Array.of(5, 6, 7, 8, 9, 0) };
  const code = (value: number) => firstCode + value;
  deepStrictEqual([...gridTokens(grid, EMU3_VOCABULARY)], [
    ...[code(5), code(6), code(7), eol],
    ...[code(8), code(9), code(0), eol],
    ...[eof, eoi],
  ]);
});

Deno.test("rowsAsTokens() of a picture is the start of gridTokens(), each row closed", () => {
  fc.assert(fc.property(anyGrid, fc.nat(), (grid, any) => {
    const rows = any % (grid.height + 1);
    const tokens = rowsAsTokens(
      pictureLayout(grid, EMU3_VOCABULARY),
      firstRows(grid, rows),
      EMU3_VOCABULARY,
    );
    strictEqual(tokens.length, rows * (grid.width + 1));
    const whole = gridTokens(grid, EMU3_VOCABULARY);
    deepStrictEqual(tokens, whole.slice(0, tokens.length));
    if (rows > 0) strictEqual(tokens.at(-1), eol);
  }));
});

Deno.test("clipFrame() returns one frame of a clip", () => {
  const clip = {
    frames: 2,
    height: 1,
    width: 2,
    codes: Uint16Array.of(1, 2, 3, 4),
  };
  const codes = Uint16Array.of(3, 4);
  deepStrictEqual(clipFrame(clip, 1), { height: 1, width: 2, codes });
});

/**
 * The tokens that the reference's constraint allows, entry j after j tokens
 * from IMG.
 */
interface Grammar {
  readonly H: number;
  readonly W: number;
  readonly "allowed_by_offset": readonly string[];
}

const SLOTS: Readonly<Record<string, Slot>> = {
  VIS: "code",
  EOL: "eol",
  EOF: "eof",
  EOI: "eoi",
  EOS: "eos",
};

/**
 * The slots at which the reference requires EOL and the layout does not. It
 * tests `offset % (W + 1)` before it checks if rows are left, so that with W =
 * 1 EOI and with W = 2 EOS are never allowed.
 */
const EOL_IN_PLACE_OF: Readonly<Record<string, Slot>> = {
  "4×1 at 9": "eoi",
  "1×1 at 3": "eoi",
  "3×2 at 11": "eos",
  "2×2 at 8": "eos",
};

Deno.test("slotAt() returns the slot that the reference allows, except for W = 1 and W = 2 (trap 6)", () => {
  const { grammar } = goldenJson<{ grammar: Grammar[] }>("generate.json");
  const differing: Record<string, Slot> = {};
  let compared = 0;
  for (const { H, W, "allowed_by_offset": allowed } of grammar) {
    const size = { height: H, width: W };
    // EOS ends the picture; tokens that the reference allows after it are
    // padding.
    for (let offset = 0; offset <= gridLength(size); offset++) {
      const slot = slotAt(offset, size);
      compared++;
      if (slot === SLOTS[allowed[offset]!]) continue;
      strictEqual(allowed[offset], "EOL");
      differing[`${H}×${W} at ${offset}`] = slot;
    }
  }
  deepStrictEqual(differing, EOL_IN_PLACE_OF);
  strictEqual(compared, 75);
});

Deno.test("parseGrid() names the token where a row ends early", () => {
  const oneCodeShort = Int32Array.of(firstCode, eol);
  throws(
    () => parseGrid(oneCodeShort, { height: 1, width: 2 }, EMU3_VOCABULARY),
    new GridError(`token 1 is ${eol}, expected code`),
  );
});

Deno.test("parseGrid() names the token where the tokens end early", () => {
  fc.assert(fc.property(anyGrid, fc.nat(), (grid, any) => {
    const tokens = gridTokens(grid, EMU3_VOCABULARY);
    const at = any % tokens.length;
    throws(
      () => parseGrid(tokens.subarray(0, at), grid, EMU3_VOCABULARY),
      new GridError(
        `it ends before token ${at}, expected ${slotAt(at, grid)}`,
      ),
    );
  }));
});

Deno.test("parseGrid() names any token that is out of place", () => {
  const { bos } = EMU3_VOCABULARY;
  fc.assert(fc.property(anyGrid, fc.nat(), (grid, any) => {
    const tokens = gridTokens(grid, EMU3_VOCABULARY);
    const at = any % tokens.length;
    tokens[at] = bos;
    throws(
      () => parseGrid(tokens, grid, EMU3_VOCABULARY),
      new GridError(`token ${at} is ${bos}, expected ${slotAt(at, grid)}`),
    );
  }));
});

Deno.test("parseGrid() takes the ids from the given vocabulary", () => {
  const grid = { height: 1, width: 2, codes: Uint16Array.of(0, 511) };
  const tokens = gridTokens(grid, TINY_VOCABULARY);
  deepStrictEqual(parseGrid(tokens, grid, TINY_VOCABULARY), grid);
  throws(() => parseGrid(tokens, grid, EMU3_VOCABULARY), GridError);
});

const refused: Record<string, [number[][], string]> = {
  "there are no rows": [[], "it has no codes; send at least one"],
  "the rows are empty": [[[], []], "it has no codes; send at least one"],
  "a row is longer": [
    [[1], [2, 3]],
    "row 1 has 2 codes, but the first has 1; all rows must have the same length",
  ],
  "a row is shorter": [
    [[1, 2], []],
    "row 1 has 0 codes, but the first has 2; all rows must have the same length",
  ],
  "a code is too great": [
    [[1, 2], [3, 512]],
    "code 512 at position 3 is not in 0…511",
  ],
  "a code wraps around in 16 bits": [
    [[65_536]],
    "code 65536 at position 0 is not in 0…511",
  ],
  "a code is negative": [[[-1]], "code -1 at position 0 is not in 0…511"],
  "a code is a fraction": [[[1.5]], "code 1.5 at position 0 is not in 0…511"],
  "a code is no number": [[[NaN]], "code NaN at position 0 is not in 0…511"],
};

for (const [when, [rows, message]] of Object.entries(refused)) {
  Deno.test(`gridFromRows() reports that ${when}`, () => {
    throws(() => gridFromRows(rows, 512), new GridError(message));
  });
}

Deno.test("assertCodes() accepts exactly the codes of the codebook", () => {
  assertCodes([0, 511], 512);
  throws(() => assertCodes(Uint16Array.of(0, 512), 512), GridError);
});
