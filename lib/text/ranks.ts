/**
 * The reader of rank files: one token per line, in the order of merges.
 *
 * ```text
 * base64(bytes) SPACE rank LF          IQ== 0
 * ```
 *
 * Bytes and base64 are parsed without strings, so that 150,000 lines take a few
 * milliseconds. The format is that of tiktoken.
 *
 * @module
 */
import { requireEveryByte } from "./token_bytes.ts";
import type { TokenBytes } from "./token_bytes.ts";

/**
 * Returns the tokens of a rank file; a token's rank is its id.
 *
 * @throws {SyntaxError} If a line is not a token and the next rank, or a byte
 * has no token. The message names the line, counted from 1.
 */
export function parseRanks(file: Uint8Array): TokenBytes {
  const ends = new Uint32Array(countLines(file));
  const reader = new RankReader(file);
  for (let rank = 0; rank < ends.length; rank++) {
    if (!reader.readToken()) {
      throw new SyntaxError(`line ${rank + 1} does not start with base64`);
    }
    if (reader.readRank() !== rank) {
      throw new SyntaxError(`line ${rank + 1} does not end with rank ${rank}`);
    }
    ends[rank] = reader.length;
  }
  const table = { bytes: reader.bytes.slice(0, reader.length), ends };
  requireEveryByte(table);
  return table;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PADDING = 0x3d;
const ZERO = 0x30;

/** Returns the number of lines, without empty ones at the end. */
function countLines(file: Uint8Array): number {
  let end = file.length;
  while (
    end > 0 && (file[end - 1] === NEWLINE || file[end - 1] === CARRIAGE_RETURN)
  ) {
    end--;
  }
  let lines = end === 0 ? 0 : 1;
  for (let i = 0; i < end; i++) if (file[i] === NEWLINE) lines++;
  return lines;
}

/** The value of each base64 character, -1 for others. */
const BASE64_VALUES = (() => {
  const values = new Int8Array(256).fill(-1);
  const characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let i = 0; i < characters.length; i++) {
    values[characters.charCodeAt(i)] = i;
  }
  return values;
})();

/** Reads a rank file from its beginning, field by field. */
class RankReader {
  /** Bytes of the tokens read so far: the first `length` count. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  readonly #file: Uint8Array;
  #at = 0;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.bytes = new Uint8Array(file.length);
  }

  /** Reads base64 and the space after it; returns false for anything else. */
  readToken(): boolean {
    const file = this.#file;
    const start = this.#at;
    let held = 0;
    let bits = 0;
    let at = start;
    for (; at < file.length; at++) {
      const value = BASE64_VALUES[file[at]!]!;
      if (value < 0) break;
      held = (held << 6 | value) & 0xffffff;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      this.bytes[this.length++] = held >> bits;
    }
    // Four characters encode three bytes; padding replaces missing ones.
    if (bits === 6) return false;
    for (const padded = at + bits / 2; at < padded; at++) {
      if (file[at] !== PADDING) return false;
    }
    this.#at = at + 1;
    return at > start && (at - start) % 4 === 0 && file[at] === SPACE;
  }

  /** Reads a number and the end of its line; returns -1 for anything else. */
  readRank(): number {
    const file = this.#file;
    const start = this.#at;
    let rank = 0;
    let at = start;
    for (; at < file.length; at++) {
      const digit = file[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      rank = rank * 10 + digit;
    }
    if (at === start) return -1;
    if (file[at] === CARRIAGE_RETURN) at++;
    if (at < file.length && file[at] !== NEWLINE) return -1;
    this.#at = at + 1;
    return rank;
  }
}
