/**
 * The comparison of two results of the same computation.
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";

/**
 * Checks that two values are equal. Numbers may differ by the rounding of a
 * prefill and a step; integers, such as codes, may not.
 */
export function checkSame(
  actual: unknown,
  expected: unknown,
  path = "",
): void {
  if (typeof actual === "number" && typeof expected === "number") {
    ok(Math.abs(actual - expected) < 1e-3, `${path}: ${actual}, ${expected}`);
  } else if (isRecord(actual) && isRecord(expected)) {
    deepStrictEqual(Object.keys(actual), Object.keys(expected), path);
    for (const key of Object.keys(actual)) {
      checkSame(actual[key], expected[key], `${path}/${key}`);
    }
  } else {
    strictEqual(actual, expected, path);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
