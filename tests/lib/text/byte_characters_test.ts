import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  spellTokens,
  unspellTokens,
} from "../../../lib/text/byte_characters.ts";

const encoder = new TextEncoder();

Deno.test("spellTokens() spells as GPT-2 does", () => {
  const bytes = encoder.encode(" a\n\xad~");
  deepStrictEqual(
    spellTokens({ bytes, ends: Uint32Array.of(2, bytes.length) }),
    ["Ġa", "ĊÂŃ~"],
  );
});

Deno.test("unspellTokens() inverts spellTokens() for any bytes", () => {
  const tokens = fc.array(fc.uint8Array({ minLength: 1 }));
  fc.assert(fc.property(tokens, (tokens) => {
    const bytes = Uint8Array.from(tokens.flatMap((token) => [...token]));
    let end = 0;
    const ends = Uint32Array.from(tokens, (token) => end += token.length);
    deepStrictEqual(unspellTokens(spellTokens({ bytes, ends })), {
      bytes,
      ends,
    });
  }));
});

Deno.test("unspellTokens() refuses a character of no byte", () => {
  throws(() => unspellTokens(["a", "a b"]), {
    name: "SyntaxError",
    message: "token 1 does not consist of byte characters",
  });
});
