/**
 * The API keys of callers, stored as hashes only.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";

/** A known key. */
export interface ApiKey {
  /** Name of the key: short, and safe to log. */
  readonly name: string;
  /** SHA-256 of the key. */
  readonly digest: Uint8Array;
}

/** The number of hexadecimal digits in a key's name. */
const NAME_LENGTH = 8;

/**
 * Parses a list of keys with commas, each plain or as `sha256:<hex>`.
 *
 * @throws {SyntaxError} If the list is malformed; the message does not quote
 *   it.
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
 * Returns the key of a request among `keys`; undefined if it is unknown.
 *
 * All hashes are compared to their end, so that the time reveals nothing.
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
