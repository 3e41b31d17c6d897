/**
 * The byte characters of `tokenizer.json`: bytes as printable characters.
 *
 * Printable Latin-1 bytes map to themselves, the other 68 to U+0100 and up: a
 * space is "Ġ" and a newline "Ċ". Source: `bytes_to_unicode` of GPT-2.
 *
 * @module
 */
import { tokenStart } from "./token_bytes.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** The character of each byte, as its UTF-16 code unit. */
const CHARACTERS = (() => {
  const characters = new Uint16Array(256);
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) ||
      (byte >= 0xa1 && byte !== 0xad);
    characters[byte] = printable ? byte : next++;
  }
  return characters;
})();

/** The byte of each character; -1 for other characters. */
const BYTES = (() => {
  const bytes = new Int16Array(Math.max(...CHARACTERS) + 1).fill(-1);
  for (const [byte, character] of CHARACTERS.entries()) bytes[character] = byte;
  return bytes;
})();

/** Returns the spelling of every token of `table`, by id. */
export function spellTokens(table: TokenBytes): string[] {
  const { bytes, ends } = table;
  const units = new Uint16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) units[i] = CHARACTERS[bytes[i]!]!;
  // All tokens are decoded at once, since slices of the result share its
  // memory.
  const all = new TextDecoder("utf-16le").decode(units);
  const tokens: string[] = [];
  for (let id = 0; id < ends.length; id++) {
    tokens.push(all.slice(tokenStart(table, id), ends[id]!));
  }
  return tokens;
}

/**
 * Returns the bytes of tokens spelled in characters.
 *
 * @param tokens Tokens by id, without gaps.
 * @throws {SyntaxError} If a token has another character.
 */
export function unspellTokens(tokens: readonly string[]): TokenBytes {
  const length = tokens.reduce((sum, token) => sum + token.length, 0);
  const bytes = new Uint8Array(length);
  const ends = new Uint32Array(tokens.length);
  let at = 0;
  for (let id = 0; id < tokens.length; id++) {
    const token = tokens[id]!;
    for (let i = 0; i < token.length; i++) {
      const byte = BYTES[token.charCodeAt(i)] ?? -1;
      if (byte < 0) {
        throw new SyntaxError(
          `token ${id} does not consist of byte characters`,
        );
      }
      bytes[at++] = byte;
    }
    ends[id] = at;
  }
  return { bytes, ends };
}
