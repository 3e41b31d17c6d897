import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  markFor,
  parseTokens,
  piecesOf,
  visible,
} from "../../../../functions/playground/lab/text_pieces.js";

/** A tokenizer whose tokens are bytes, or two of them at a time. */
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

Deno.test("pieces are all of the text and all of the tokens, in order", async () => {
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

Deno.test("a character of several tokens is one piece, two are two", async () => {
  const mark = { text: "\u0001", tokens: [1] };
  const pieces = await piecesOf(tokensOf("a🚀ü🌳", false), mark, decode);
  deepStrictEqual(pieces.map(({ text }) => text), ["a", "🚀", "ü", "🌳"]);
  deepStrictEqual(pieces.map(({ tokens }) => tokens.length), [1, 4, 2, 4]);
});

Deno.test("bytes that are no text stay what they are", async () => {
  const mark = { text: "\u0001", tokens: [1] };
  const pieces = await piecesOf([0xf0, 0x9f, 97], mark, decode);
  deepStrictEqual(pieces.flatMap(({ tokens }) => tokens), [0xf0, 0x9f, 97]);
  strictEqual(pieces.at(-1)?.text, "a");
});

Deno.test("a mark is not in the text", () => {
  strictEqual(markFor("a"), "\u0001");
  strictEqual(markFor("a\u0001"), "\u0002");
  throws(() => markFor("\u0001\u0002\u0003\u0004\u0005\u0006"), /control/);
});

Deno.test("tokens are read as people write them", () => {
  deepStrictEqual(parseTokens(" 1, 2\n3 "), [1, 2, 3]);
  deepStrictEqual(parseTokens(""), []);
  throws(() => parseTokens("1 two"), /two is no whole number/);
});

Deno.test("white space can be seen", () => {
  strictEqual(visible(" a"), "·a");
  strictEqual(visible("\n"), "↵\n");
  strictEqual(visible(""), "∅");
});
