/**
 * The decoder of streamed tokens to text.
 *
 * ```text
 * tokens   "caf" │ C3 │ A9 │ …        text   "caf" │ "" │ "é" │ …
 * ```
 *
 * A character may consist of several tokens, so the text of a token is returned
 * once its last character is complete. Invalid UTF-8 becomes U+FFFD, one for
 * each maximal invalid part, as in Python (`errors="replace"`) and the Encoding
 * standard.
 *
 * @module
 */
import { tokenBytes } from "./token_bytes.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** Options of decoding. */
export interface TextDecodeOptions {
  /**
   * True to skip special tokens before bytes are joined, so that the parts of a
   * character on both sides of a special token form a character.
   */
  readonly skipSpecial: boolean;
}

/** The spellings of tokens: text tokens by table, special ones by name. */
export interface TokenSpellings {
  /** Spellings of the text tokens. */
  readonly table: TokenBytes;
  /** Names of all other tokens. */
  readonly names: ReadonlyMap<number, string>;
}

/** Decodes tokens that arrive over time into text. */
export class TextStream {
  readonly #spellings: TokenSpellings;
  readonly #options: TextDecodeOptions;
  // A byte order mark is ordinary text.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Creates a stream at its beginning. */
  constructor(spellings: TokenSpellings, options: TextDecodeOptions) {
    this.#spellings = spellings;
    this.#options = options;
  }

  /**
   * Returns the text that `tokens` add: whole characters only.
   *
   * @throws {RangeError} If there is no such token.
   */
  push(tokens: Iterable<number>): string {
    // The decoder is called once, because a call takes longer than a token.
    let joined = new Uint8Array(64);
    let length = 0;
    for (const token of tokens) {
      const bytes = this.#bytes(token);
      if (bytes === undefined) continue;
      if (length + bytes.length > joined.length) {
        const larger = new Uint8Array(2 * (length + bytes.length));
        larger.set(joined.subarray(0, length));
        joined = larger;
      }
      joined.set(bytes, length);
      length += bytes.length;
    }
    return this.#decoder.decode(joined.subarray(0, length), { stream: true });
  }

  /**
   * Returns the rest: U+FFFD if the last character is incomplete, else an empty
   * text.
   */
  finish(): string {
    return this.#decoder.decode();
  }

  /** Returns the bytes of `token`; undefined if it is skipped. */
  #bytes(token: number): Uint8Array | undefined {
    const { table, names } = this.#spellings;
    if (token >= 0 && token < table.ends.length) {
      return tokenBytes(table, token);
    }
    const name = names.get(token);
    if (name === undefined) {
      throw new RangeError(
        `Cannot decode token: token ${token} does not exist`,
      );
    }
    return this.#options.skipSpecial
      ? undefined
      : new TextEncoder().encode(name);
  }
}
