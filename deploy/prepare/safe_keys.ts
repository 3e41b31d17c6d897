/**
 * The keys of records: names of files that are safe on every system, each once.
 *
 * ```text
 * "cats/1.jpg" ─▶ cats_1_jpg     a second "cats/1.jpg" ─▶ cats_1_jpg~2
 * ```
 *
 * A key is letters, digits, `_` and `-`: WebDataset ends a key at the first
 * dot. `~` numbers repeated names and stands in no other key, so numbered keys
 * meet no others, even those of another part of the input.
 *
 * @module
 */

import { hashOf, HashTable } from "./hash_table.ts";

/** Limit of a key, in bytes: names of files have 255. */
const MAX_BYTES = 180;

/** Names that Windows gives to devices. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/** Returns the key of a name, before repeated ones are numbered. */
export function safeKey(name: string): string {
  const safe = name.normalize("NFC").replaceAll(
    /[^\p{L}\p{M}\p{N}_-]+/gu,
    "_",
  );
  if (safe === "" || DEVICES.test(safe)) return `_${safe}`;
  const bytes = new TextEncoder().encode(safe);
  if (bytes.length <= MAX_BYTES) return safe;
  const cut = new TextDecoder().decode(bytes.subarray(0, MAX_BYTES))
    .replace(/\ufffd+$/, "");
  return `${cut}_${hashOf(name)}`;
}

/** Numbers repeated keys in the order of the input. */
export class SafeKeys {
  readonly #counts = new HashTable();

  /** Returns the key of the next record of the input, and its place in parts. */
  next(name: string): { readonly key: string; readonly hash: string } {
    const key = safeKey(name);
    // Some file systems take names for equal that differ in case.
    const hash = hashOf(key.toLowerCase());
    const before = this.#counts.get(hash) ?? 0;
    this.#counts.set(hash, before + 1);
    return { key: before === 0 ? key : `${key}~${before + 1}`, hash };
  }
}

/**
 * Returns true if a record is of part `index` of `count`: by its key alone, so
 * that parts do not depend on the order of the input.
 *
 * @param hash Hash of its key, of {@linkcode SafeKeys.next}.
 * @param index Index of the part, from 0.
 */
export function isOfPart(hash: string, index: number, count: number): boolean {
  return parseInt(hash.slice(0, 12), 16) % count === index;
}
