/**
 * Fields as OpenAI's clients send them: unknown ones are ignored, and null is as
 * good as nothing.
 *
 * @module
 */

import * as v from "valibot";

/** A field that may be null or missing. */
export function open<const T extends v.GenericSchema>(
  schema: T,
): v.NullishSchema<T, () => undefined> {
  return v.nullish(schema, () => undefined);
}
