/**
 * What all parsers of checkpoint configuration share.
 *
 * A parser takes the JSON of a file and gives a complete record: nothing
 * downstream knows an optional field or which layout a checkpoint has.
 *
 * @module
 */

import * as v from "valibot";

/** A size or count. */
export const Count: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
);

/** A number above zero. */
export const Positive: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.gtValue(0),
);

/** A field that a checkpoint may leave out, or write as null. */
export function orDefault<const S extends v.GenericSchema, V>(
  schema: S,
  value: V & v.InferInput<S>,
): v.NullishSchema<S, V & v.InferInput<S>> {
  return v.nullish(schema, value);
}

/**
 * `json` as `schema` says.
 *
 * @throws {SyntaxError} Naming the first field that is wrong.
 */
export function parseFields<T>(
  schema: v.GenericSchema<unknown, T>,
  json: unknown,
): T {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new SyntaxError(
    path === null ? issue.message : `field "${path}": ${issue.message}`,
  );
}
