/**
 * Keys that callers show, kept as hashes only.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";

/** A key that is known here. */
export interface ApiKey {
  /** Short and safe to log: it tells keys apart and opens nothing. */
  readonly name: string;
  /** SHA-256 of the key. */
  readonly digest: Uint8Array;
}

/** Hexadecimal digits of a hash that name a key. */
const NAME_LENGTH = 8;

/**
 * The keys in a list with commas, each plain or as `sha256:<hex>`.
 *
 * @throws {SyntaxError} Saying what is expected, without what was there.
 */
export function apiKeys(text: string | undefined): readonly ApiKey[] {
  if (text === undefined) return [];
  return text.split(",").map((entry) => {
    const key = entry.trim();
    const hex = /^sha256:(.*)$/i.exec(key)?.[1];
    const digest = hex === undefined ? digestOf(key) : digestFrom(hex);
    if (key === "" || digest === undefined) {
      throw new SyntaxError("expected keys or sha256:<64 hex>, with commas");
    }
    return { name: `key-${hexOf(digest).slice(0, NAME_LENGTH)}`, digest };
  });
}

/**
 * The one of `keys` that was shown; undefined when it is none of them.
 *
 * Hashes of one length are compared, all of them, each to its end: how long it
 * takes tells nothing.
 */
export function findKey(
  keys: readonly ApiKey[],
  shown: string,
): ApiKey | undefined {
  const digest = digestOf(shown);
  const matches = keys.filter((key) => timingSafeEqual(key.digest, digest));
  return matches[0];
}

function digestOf(key: string): Uint8Array {
  return createHash("sha256").update(key).digest();
}

function digestFrom(hex: string): Uint8Array | undefined {
  return /^[0-9a-f]{64}$/i.test(hex) ? Uint8Array.fromHex(hex) : undefined;
}

function hexOf(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toHex();
}
