/**
 * The prepared sets of tests, in memory.
 *
 * @module
 */

import type { PreparedRecord, PreparedSet } from "../../lib/tuning/records.ts";

/** Returns a set of `records`. */
export function memorySet(records: readonly PreparedRecord[]): PreparedSet {
  return {
    length: records.length,
    read: (index) => Promise.resolve(records[index]!),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Returns records for the tiny checkpoint, every third with a question. */
export function tinyRecords(count: number): PreparedRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `record ${i}`,
    text: `picture ${i % 3}`,
    height: 3,
    width: 4,
    codes: Uint16Array.from({ length: 12 }, (_, k) => (i % 3) * 100 + k),
    ...i % 3 === 2 ? { question: "Which?", answer: "This one" } : {},
  }));
}
