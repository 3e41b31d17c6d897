/**
 * The schema of OpenAI's fields: unknown ones are ignored, and null counts as
 * missing.
 *
 * @module
 */

import * as v from "valibot";

/** Returns the schema of a field that may be null or missing. */
export function open<const T extends v.GenericSchema>(
  schema: T,
): v.NullishSchema<T, () => undefined> {
  return v.nullish(schema, () => undefined);
}
