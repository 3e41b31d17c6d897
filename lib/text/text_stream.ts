/**
 * The decoder of streamed tokens to text.
 *
 * ```text
 * tokens   "caf" │ C3 │ A9 │ …        text   "caf" │ "" │ "é" │ …
 * ```
 *
 * A character may take several tokens, so the text of a token is known only
 * once its last character is whole. Invalid UTF-8 becomes U+FFFD, one for each
 * maximal invalid part, as in Python (`errors="replace"`) and in the Encoding
 * standard alike.
 *
 * @module
 */
import { tokenBytes } from "./token_bytes.ts";
import type { TokenBytes } from "./token_bytes.ts";

/** Options of decoding. */
export interface TextDecodeOptions {
  /**
   * True if special tokens are skipped, before bytes are joined: the halves of
   * a character on both sides of one become a character again.
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
  // A byte order mark is text like any other.
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
    // One call of the decoder for all: a call takes longer than a token.
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
   * Returns the rest: U+FFFD if the last character is not whole, else nothing.
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
