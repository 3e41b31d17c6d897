/**
 * Random prepared records.
 *
 * @module
 */

import fc from "fast-check";
import type { PreparedRecord } from "../../lib/tuning/records.ts";

const text = fc.string({ unit: "grapheme", maxLength: 20 });

/** Records with or without a question. */
export const anyRecord: fc.Arbitrary<PreparedRecord> = fc
  .tuple(
    fc.stringMatching(/^[\w-]{1,12}$/),
    text,
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.option(fc.tuple(text, text), { nil: undefined }),
  )
  .chain(([key, text, height, width, asked]) =>
    fc.array(fc.integer({ min: 0, max: 32767 }), {
      minLength: height * width,
      maxLength: height * width,
    }).map((codes) => ({
      ...{ key, text, height, width, codes: Uint16Array.from(codes) },
      ...(asked && { question: asked[0], answer: asked[1] }),
    }))
  );

/** Returns records with keys of their own. */
export function manyRecords(count: number): PreparedRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `record-${i}`,
    text: `picture ${i}`,
    height: 2,
    width: 1 + i % 3,
    codes: Uint16Array.from({ length: 2 * (1 + i % 3) }, (_, j) => i * 10 + j),
  }));
}
