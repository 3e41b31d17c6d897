import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  markFor,
  parseTokens,
  piecesOf,
  visible,
} from "../../../../functions/playground/lab/text_pieces.js";

/** Encodes text into tokens of one byte, or of two. */
function tokensOf(text: string, pair: boolean): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  if (!pair) return bytes;
  return bytes.flatMap((byte, i) =>
    i % 2 === 1
      ? []
      : [i + 1 < bytes.length ? 256 + byte * 256 + bytes[i + 1]! : byte]
  );
}

function decode(tokens: readonly number[]): Promise<string> {
  const bytes = tokens.flatMap((token) =>
    token < 256 ? [token] : [(token - 256) >> 8, (token - 256) & 255]
  );
  return Promise.resolve(new TextDecoder().decode(Uint8Array.from(bytes)));
}

const texts = fc.string({ unit: "grapheme", maxLength: 30 });

Deno.test("piecesOf() covers all text and all tokens, in order", async () => {
  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), async (text, pair) => {
      const mark = markFor(text);
      const tokens = tokensOf(text, pair);
      const marked = {
        text: mark,
        tokens: [...new TextEncoder().encode(mark)],
      };
      const pieces = await piecesOf(tokens, marked, decode);
      deepStrictEqual(pieces.flatMap(({ tokens }) => tokens), tokens);
      strictEqual(pieces.map(({ text }) => text).join(""), text);
    }),
  );
});

Deno.test("piecesOf() merges the tokens of one character, not of two", async () => {
  const mark = { text: "\u0001", tokens: [1] };
  const pieces = await piecesOf(tokensOf("a🚀ü🌳", false), mark, decode);
  deepStrictEqual(pieces.map(({ text }) => text), ["a", "🚀", "ü", "🌳"]);
  deepStrictEqual(pieces.map(({ tokens }) => tokens.length), [1, 4, 2, 4]);
});

Deno.test("piecesOf() keeps invalid bytes", async () => {
  const mark = { text: "\u0001", tokens: [1] };
  const pieces = await piecesOf([0xf0, 0x9f, 97], mark, decode);
  deepStrictEqual(pieces.flatMap(({ tokens }) => tokens), [0xf0, 0x9f, 97]);
  strictEqual(pieces.at(-1)?.text, "a");
});

Deno.test("markFor() returns a marker that the text lacks", () => {
  strictEqual(markFor("a"), "\u0001");
  strictEqual(markFor("a\u0001"), "\u0002");
  throws(() => markFor("\u0001\u0002\u0003\u0004\u0005\u0006"), /control/);
});

Deno.test("parseTokens() accepts commas and whitespace", () => {
  deepStrictEqual(parseTokens(" 1, 2\n3 "), [1, 2, 3]);
  deepStrictEqual(parseTokens(""), []);
  throws(() => parseTokens("1 two"), /two is not a whole number/);
});

Deno.test("visible() shows whitespace", () => {
  strictEqual(visible(" a"), "·a");
  strictEqual(visible("\n"), "↵\n");
  strictEqual(visible(""), "∅");
});
