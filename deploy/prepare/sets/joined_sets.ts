/**
 * The concatenation of prepared sets.
 *
 * @module
 */

import type { PreparedSet } from "../../../lib/tuning/records.ts";

/** The place of a record among several parts. */
export interface PlaceInParts {
  /** Index of the part. */
  readonly part: number;
  /** Index of the record in its part. */
  readonly within: number;
}

/** Returns the set of all records of `sets`, one set after the other. */
export function joinedSets(sets: readonly PreparedSet[]): PreparedSet {
  const starts = startsOf(sets.map(({ length }) => length));
  return {
    length: starts.at(-1)!,
    read: async (index) => {
      const { part, within } = placeIn(starts, index);
      return await sets[part]!.read(within);
    },
    [Symbol.asyncDispose]: async () => {
      for (const set of sets) await set[Symbol.asyncDispose]();
    },
  };
}

/** Returns the index of each part's first record, and the number of all. */
export function startsOf(lengths: readonly number[]): readonly number[] {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return starts;
}

/**
 * Returns the place of the record at `index`.
 *
 * @throws {RangeError} If there is no such record.
 */
export function placeIn(
  starts: readonly number[],
  index: number,
): PlaceInParts {
  const length = starts.at(-1)!;
  if (!Number.isInteger(index) || index < 0 || index >= length) {
    throw new RangeError(`record ${index} is not one of ${length}`);
  }
  const part = starts.findLastIndex((start) => start <= index);
  return { part, within: index - starts[part]! };
}
