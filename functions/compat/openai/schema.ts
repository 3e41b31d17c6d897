/**
 * The conventions of OpenAI's fields: unknown ones are ignored, null counts as
 * missing, and times are seconds of Unix time.
 *
 * Clients write null for every field that their caller left out, so null is
 * never an error.
 *
 * @module
 */

import * as v from "valibot";

/**
 * Returns the schema of a field that may be null or missing.
 *
 * @param schema Schema of every other value.
 */
export function open<const T extends v.GenericSchema>(
  schema: T,
): v.NullishSchema<T, () => undefined> {
  return v.nullish(schema, () => undefined);
}

/** Returns the current time in whole seconds of Unix time. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
