/**
 * The echo of a prediction's input: the part that is stored and returned with
 * each status of the prediction.
 *
 * @module
 */

import type { FunctionName } from "../../schema/common.ts";
import { isFieldOf } from "./prediction_input.ts";

/** Maximum characters of an echo's JSON. */
export const MAX_ECHO = 8192;

/** Maximum depth of lists and objects in a value. */
const MAX_DEPTH = 8;

/**
 * Returns the fields of `input` that the function has, without those that
 * exceed the rest of the echo.
 */
export function echoOf(
  input: Readonly<Record<string, unknown>>,
  name: FunctionName,
): Record<string, unknown> {
  const echo: Record<string, unknown> = {};
  let left = MAX_ECHO;
  for (const [given, value] of Object.entries(input)) {
    if (!isFieldOf(name, given)) continue;
    const length = given.length + jsonLength(value, left, MAX_DEPTH);
    if (length > left) continue;
    left -= length;
    echo[given] = value;
  }
  return echo;
}

/**
 * Returns the length of a value's JSON; infinite as soon as it exceeds `limit`
 * or has more than `depth` levels.
 */
function jsonLength(value: unknown, limit: number, depth: number): number {
  if (typeof value === "string") {
    return value.length > limit ? Infinity : JSON.stringify(value).length;
  }
  if (typeof value !== "object" || value === null) return `${value}`.length;
  if (depth === 0) return Infinity;
  let length = 2;
  for (const [key, member] of membersOf(value)) {
    length += key.length + 4 + jsonLength(member, limit - length, depth - 1);
    if (length > limit) return Infinity;
  }
  return length;
}

/** Yields members one at a time: there may be millions. */
function* membersOf(value: object): Generator<[key: string, member: unknown]> {
  if (Array.isArray(value)) {
    for (const member of value) yield ["", member];
  } else {
    for (const key in value) {
      if (Object.hasOwn(value, key)) yield [key, Reflect.get(value, key)];
    }
  }
}
