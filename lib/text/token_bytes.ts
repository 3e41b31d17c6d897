/**
 * The byte spellings of text tokens, concatenated in one array.
 *
 * ```text
 * bytes │ t o k e n │ s │ p e l l s │ …      ends │ 5 │ 6 │ 11 │ …
 * ```
 *
 * Two flat arrays, instead of 150,000 small ones, can be transferred between
 * threads. Ids count from 0, without gaps.
 *
 * @module
 */

/** The bytes of tokens 0, 1, 2, … */
export interface TokenBytes {
  /** Bytes of all tokens, concatenated. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offset in `bytes` at which each token ends; the next begins there. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** Returns the offset in `table.bytes` at which `token` begins. */
export function tokenStart(table: TokenBytes, token: number): number {
  return token === 0 ? 0 : table.ends[token - 1]!;
}

/** Returns the bytes of `token`: a view, not a copy. */
export function tokenBytes(table: TokenBytes, token: number): Uint8Array {
  return table.bytes.subarray(tokenStart(table, token), table.ends[token]!);
}

/**
 * Checks that any text can be encoded.
 *
 * @throws {SyntaxError} If a byte has no token.
 */
export function requireEveryByte(table: TokenBytes): void {
  const seen = new Set<number>();
  for (let token = 0; token < table.ends.length; token++) {
    const start = tokenStart(table, token);
    if (table.ends[token]! - start === 1) seen.add(table.bytes[start]!);
  }
  for (let byte = 0; byte < 256; byte++) {
    if (seen.has(byte)) continue;
    throw new SyntaxError(`the single byte ${byte} has no token`);
  }
}
