import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseRanks } from "../../../lib/text/ranks.ts";
import { tokenBytes } from "../../../lib/text/token_bytes.ts";

const everyByte = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));

function rankFile(
  tokens: readonly Uint8Array[],
  newline = "\n",
): Uint8Array {
  const lines = tokens.map((token, rank) =>
    `${token.toBase64()} ${rank}${newline}`
  );
  return new TextEncoder().encode(lines.join(""));
}

Deno.test("parseRanks() reads any tokens, with any line ends", () => {
  const token = fc.uint8Array({ minLength: 1, maxLength: 12 });
  const newlines = fc.constantFrom("\n", "\r\n");
  fc.assert(fc.property(fc.array(token), newlines, (more, newline) => {
    const tokens = [...everyByte, ...more];
    const table = parseRanks(rankFile(tokens, newline));
    strictEqual(table.ends.length, tokens.length);
    for (const [id, token] of tokens.entries()) {
      deepStrictEqual([...tokenBytes(table, id)], [...token]);
    }
  }));
});

Deno.test("parseRanks() does not need a newline at the end", () => {
  const file = rankFile(everyByte);
  deepStrictEqual(parseRanks(file.subarray(0, -1)), parseRanks(file));
});

const broken: Record<string, [string, RegExp]> = {
  "a rank is left out": ["IQ== 0\nIg== 2\n", /line 2 does not end with rank 1/],
  "a rank is no number": [
    "IQ== 0\nIg== x\n",
    /line 2 does not end with rank 1/,
  ],
  "something follows a rank": ["IQ== 0 0\n", /line 1 does not end with rank 0/],
  "a line has no rank": ["IQ== 0\nIg==\n", /line 2 does not start with base64/],
  "a line is empty": [
    "IQ== 0\n\nIg== 1\n",
    /line 2 does not start with base64/,
  ],
  "a token is not base64": [
    "IQ== 0\nI!== 1\n",
    /line 2 does not start with base64/,
  ],
  "a token is truncated": ["IQ= 0\n", /line 1 does not start with base64/],
  "a token is padded too much": [
    "I=== 0\n",
    /line 1 does not start with base64/,
  ],
  "a token is empty": [" 0\n", /line 1 does not start with base64/],
  "the file is empty": ["", /the single byte 0 has no token/],
  "a byte has no token": [
    "AA== 0\nAg== 1\n",
    /the single byte 1 has no token/,
  ],
};

for (const [what, [text, message]] of Object.entries(broken)) {
  Deno.test(`parseRanks() refuses a file when ${what}`, () => {
    throws(() => parseRanks(new TextEncoder().encode(text)), {
      name: "SyntaxError",
      message,
    });
  });
}
