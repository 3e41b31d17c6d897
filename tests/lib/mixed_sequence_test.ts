import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { GridError } from "../../lib/errors.ts";
import { type CodeGrid, gridTokens } from "../../lib/grid.ts";
import { type MixedPart, parseMixed } from "../../lib/mixed_sequence.ts";
import { openTextTokenizer } from "../../lib/text/text_tokenizer.ts";
import { drawingPrompt } from "../../lib/prompt.ts";
import { EMU3_VOCABULARY as vocabulary } from "../support/golden.ts";
import { decodeRows, emu3 } from "../support/golden_text.ts";

const text = await openTextTokenizer(emu3());
await text.ready;
globalThis.addEventListener("unload", () => text[Symbol.dispose]());

const { bos, eos, boi, eoi, img, eol, firstCode } = vocabulary;
const reader = { text, vocabulary };
const size = await text.encode("1*2");
const codes = [firstCode + 5, firstCode + 6, eol];
const close = [vocabulary.eof, eoi];

function parse(...parts: (number | ArrayLike<number>)[]): MixedPart[] {
  const tokens = parts.flatMap((part) =>
    typeof part === "number" ? [part] : Array.from(part)
  );
  return parseMixed(Int32Array.from(tokens), reader);
}

const anyGrid = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 0, max: 32_000 }),
).map(([height, width, first]): CodeGrid => ({
  height,
  width,
  codes: Uint16Array.from({ length: height * width }, (_, i) => first + i),
}));

Deno.test("parseMixed() returns the text and pictures of a sequence", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyGrid, { maxLength: 3 }), async (grids) => {
      const tokens: number[] = [];
      const parts: MixedPart[] = [];
      for (const grid of grids) {
        const prompt = await drawingPrompt(reader, "a fox", grid);
        tokens.push(...prompt, ...gridTokens(grid, vocabulary), eos);
        parts.push({ type: "text", text: "a fox" }, { type: "image", grid });
      }
      deepStrictEqual(parse(tokens), parts);
    }),
    { numRuns: 30 },
  );
});

Deno.test("parseMixed() returns the reference's text", () => {
  for (const { ids, text_skip_special: expected } of decodeRows()) {
    const parts = parse(ids);
    const spoken = parts.map((part) => part.type === "text" ? part.text : "")
      .join("");
    strictEqual(spoken, expected);
  }
});

Deno.test("parseMixed() joins the halves of a character around a special token", async () => {
  const tokens = [...await text.encode("\u{1f98a}")];
  const [first, ...rest] = tokens;
  deepStrictEqual(parse(bos, first!, eos, rest), [
    { type: "text", text: "\u{1f98a}" },
  ]);
});

Deno.test("parseMixed() omits special tokens that start no picture", () => {
  deepStrictEqual(parse(boi, eoi, img, eol, boi, size, eoi), [
    { type: "text", text: "1*2" },
  ]);
  deepStrictEqual(parse(boi, size), [{ type: "text", text: "1*2" }]);
});

Deno.test("parseMixed() refuses an incomplete picture", async () => {
  const other = await text.encode("1x2");
  const zero = await text.encode("0*2");
  const huge = await text.encode("99999*99999");
  const good = [boi, size, img, codes, close];
  deepStrictEqual(parse(...good)[0]!.type, "image");
  const bad = [
    [boi, img, codes, close],
    [boi, other, img, codes, close],
    [boi, zero, img, close],
    [boi, huge, img, codes, close],
    [boi, size, img],
    [boi, size, img, codes],
    [boi, size, img, codes.toReversed(), close],
    [boi, size, img, codes, codes, close],
    [boi, size, img, codes, eoi],
  ];
  for (const parts of bad) throws(() => parse(...parts), GridError);
});
