/**
 * The shared schemas and functions of the configuration parsers.
 *
 * A parser converts the JSON of a file to a complete record, so that other
 * modules handle neither optional fields nor the layout of a checkpoint.
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

/** A finite number above zero. */
export const Positive: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.finite(),
  v.gtValue(0),
);

/** One token id or, in newer files, a list. */
export const TokenIds: v.GenericSchema<number | number[], number[]> = v.pipe(
  v.union(
    [v.number(), v.array(v.number())],
    "expected an id, or a list of ids",
  ),
  v.transform((ids) => [ids].flat()),
  v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
);

/** Returns the schema of a field that may be missing or null. */
export function orDefault<const S extends v.GenericSchema, V>(
  schema: S,
  value: V & v.InferInput<S>,
): v.NullishSchema<S, V & v.InferInput<S>> {
  return v.nullish(schema, value);
}

/**
 * Parses `json` by `schema`.
 *
 * @param nameOf Returns the name in the file of a field of the schema.
 * @throws {SyntaxError} If a field is invalid; the message names the first.
 */
export function parseFields<T>(
  schema: v.GenericSchema<unknown, T>,
  json: unknown,
  nameOf: (field: string) => string = (field) => field,
): T {
  // Valibot treats an array as an object without these fields.
  if (Array.isArray(json)) throw new SyntaxError("it is a list, not an object");
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const [field, ...rest] = v.getDotPath(issue)?.split(".") ?? [];
  if (field === undefined) throw new SyntaxError(issue.message);
  const path = [nameOf(field), ...rest].join(".");
  throw new SyntaxError(`field "${path}": ${issue.message}`);
}

/**
 * Returns the object that transformers nests under `name`; the whole `json` in
 * the original layout, which is flat.
 *
 * @throws {SyntaxError} If either is not an object.
 */
export function nestedFields(
  json: unknown,
  name: string,
): Readonly<Record<string, unknown>> {
  const outer: Record<string, unknown> = parseFields(v.looseObject({}), json);
  const inner = outer[name] ?? undefined;
  if (inner === undefined) return outer;
  if (typeof inner !== "object" || Array.isArray(inner)) {
    throw new SyntaxError(`field "${name}": it is not an object`);
  }
  return { ...inner };
}
