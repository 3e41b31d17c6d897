/**
 * The table of hashes: 12 bytes a slot, so that millions of names or pictures
 * fit.
 *
 * Entries are identified by 64 bits of SHA-256. Among 100 million of them two
 * are equal with a probability of 0.03 %.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Returns the first 64 bits of the SHA-256 of `content`, in hexadecimal. */
export function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/** Share of occupied slots at which the table doubles. */
const MAX_LOAD = 0.6;

/** Words of a slot: 64 bits of hash, 32 of value. */
const SLOT = 3;

/** A map from hashes to whole numbers from 0 to 2³² − 2. */
export class HashTable {
  /** Slots of high and low half of the hash, and value + 1. */
  #slots = new Uint32Array(SLOT * 1024);
  #size = 0;

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Returns the value of a hash of 16 digits; undefined if it has none. */
  get(hash: string): number | undefined {
    const [high, low] = halves(hash);
    const value = this.#slots[this.#find(high, low) + 2]!;
    return value === 0 ? undefined : value - 1;
  }

  /** Sets the value of a hash of 16 digits. */
  set(hash: string, value: number): void {
    const [high, low] = halves(hash);
    this.#put(high, low, value + 1);
    if (this.#size * SLOT > MAX_LOAD * this.#slots.length) this.#grow();
  }

  #put(high: number, low: number, stored: number): void {
    const at = this.#find(high, low);
    if (this.#slots[at + 2] === 0) this.#size++;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#slots[at + 2] = stored;
  }

  /** Returns the slot of a hash, or the free one where it would be. */
  #find(high: number, low: number): number {
    const slots = this.#slots;
    const count = slots.length / SLOT;
    for (let i = low & (count - 1);; i = (i + 1) & (count - 1)) {
      const at = i * SLOT;
      if (slots[at + 2] === 0) return at;
      if (slots[at] === high && slots[at + 1] === low) return at;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    this.#size = 0;
    for (let at = 0; at < old.length; at += SLOT) {
      if (old[at + 2] !== 0) this.#put(old[at]!, old[at + 1]!, old[at + 2]!);
    }
  }
}

function halves(hash: string): readonly [number, number] {
  return [parseInt(hash.slice(0, 8), 16), parseInt(hash.slice(8, 16), 16)];
}
