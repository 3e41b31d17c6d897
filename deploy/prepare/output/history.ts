/**
 * The records of a set so far, from its journal: 12 bytes per record and per
 * picture.
 *
 * @module
 */

import { hashOf, HashTable } from "../hash_table.ts";
import type { JournalLine } from "./journal.ts";

/** Numbers of records, over all runs. */
export interface OutputCounts {
  /** Stored records. */
  readonly stored: number;
  /** Records that cannot be used. */
  readonly failed: number;
  /** Records with the picture of an earlier record, stored or omitted. */
  readonly duplicates: number;
}

/** States of a key. */
const DONE = 1;
const FAILED = 2;

/** The records so far. */
export class PreparationHistory {
  readonly #keys = new HashTable();
  readonly #pictures = new HashTable();
  readonly #errors = new Map<string, string>();
  readonly #duplicates: string[] = [];
  #stored = 0;
  #doubled = 0;

  /** Adds a line of the journal, in order. */
  add({ key, picture, error, place, same_as: twin }: JournalLine): void {
    if (key === undefined) return;
    if (error !== undefined) {
      this.#errors.set(key, JSON.stringify({ key, place, error }));
      this.#keys.set(hashOf(key), FAILED);
      return;
    }
    this.#errors.delete(key);
    this.#keys.set(hashOf(key), DONE);
    const same = twin ?? (picture && this.#pictures.get(picture));
    if (typeof same === "number") {
      this.#doubled++;
      this.#duplicates.push(duplicateLine(key, same));
    } else if (picture !== undefined) {
      this.#pictures.set(picture, this.#stored);
    }
    if (twin === undefined) this.#stored++;
  }

  /** Returns true if a record is done. */
  isDone(key: string): boolean {
    return this.#keys.get(hashOf(key)) === DONE;
  }

  /** Returns true if a record cannot be used. */
  isFailed(key: string): boolean {
    return this.#keys.get(hashOf(key)) === FAILED;
  }

  /** Returns the index of the first stored record with a picture. */
  indexOf(picture: string): number | undefined {
    return this.#pictures.get(picture);
  }

  /** Numbers of records. */
  get counts(): OutputCounts {
    return {
      stored: this.#stored,
      failed: this.#errors.size,
      duplicates: this.#doubled,
    };
  }

  /** Lines of `errors.jsonl`. */
  get errorLines(): readonly string[] {
    return [...this.#errors.values()];
  }

  /** Lines of `duplicates.jsonl` that were added since the last call. */
  takeDuplicateLines(): readonly string[] {
    return this.#duplicates.splice(0);
  }
}

/** Returns the line of a record with the picture of another. */
function duplicateLine(key: string, index: number): string {
  return JSON.stringify({ key, "same_as": index });
}
