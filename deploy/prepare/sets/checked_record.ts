/**
 * The check of a record that was read from a file.
 *
 * @module
 */

import type { PreparedRecord } from "../../../lib/tuning/records.ts";

/** The fields of a record as a file holds them. */
export interface RecordFields {
  /** Name of the record. */
  readonly key: unknown;
  /** Caption. */
  readonly text: unknown;
  /** Rows of codes. */
  readonly height: unknown;
  /** Columns of codes. */
  readonly width: unknown;
  /** Codes row after row. */
  readonly codes: ArrayLike<number>;
  /** Question about the picture. */
  readonly question?: unknown;
  /** Answer to the question. */
  readonly answer?: unknown;
}

/** The greatest code that fits into 16 bits. */
const MAX_CODE = 0xffff;

/**
 * Returns the record of `fields`.
 *
 * @throws {SyntaxError} If a field is missing or of another type, or the codes
 * do not fill the grid.
 */
export function checkedRecord(fields: RecordFields): PreparedRecord {
  const { key, text, height, width, codes, question, answer } = fields;
  if (typeof key !== "string" || typeof text !== "string") {
    throw new SyntaxError("a record has no key or no text");
  }
  if (!isSide(height) || !isSide(width) || height * width !== codes.length) {
    throw new SyntaxError(
      `record "${key}" has ${codes.length} codes for a grid of ${height} × ${width}`,
    );
  }
  const kept = Uint16Array.from(codes);
  for (let i = 0; i < codes.length; i++) {
    if (kept[i] === codes[i]) continue;
    throw new SyntaxError(
      `record "${key}" has the code ${codes[i]}, not within 0 and ${MAX_CODE}`,
    );
  }
  return {
    key,
    text,
    height,
    width,
    codes: kept,
    ...(typeof question === "string" && { question }),
    ...(typeof answer === "string" && { answer }),
  };
}

function isSide(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
