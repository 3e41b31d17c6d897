/**
 * The fields of a query or a form, which are all text.
 *
 * @module
 */

import * as v from "valibot";
import { MAX_JSON_BARE_BYTES } from "./body_limits.ts";
import { parseJsonText } from "./json.ts";
import {
  BodyTooComplexError,
  invalidField,
  type InvalidFieldsError,
  MalformedBodyError,
} from "./errors/errors.ts";

/** A schema with a list of its fields. */
export type FieldSchema<T> = v.GenericSchema<unknown, T> & {
  readonly entries: v.ObjectEntries;
};

/** Returns the fields of the query of `request`. */
export function queryOf(request: Request): [string, string][] {
  return [...new URL(request.url).searchParams];
}

/**
 * Converts texts to the types of the schema: `"7"` stays text for a text field
 * and becomes a number for a number field.
 *
 * @throws {InvalidFieldsError} If a field is given twice.
 * @throws {BodyTooComplexError} If one has more JSON than is accepted.
 */
export function textFields(
  texts: Iterable<[string, string]>,
  { entries }: { readonly entries: v.ObjectEntries },
): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [name, text] of texts) {
    if (fields.has(name)) throw givenTwice(name);
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    const asText = entry === undefined || v.is(entry, text);
    fields.set(name, asText ? text : valueOf(text));
  }
  return Object.fromEntries(fields);
}

/**
 * Returns `body` merged with the fields of a query, if it is an object: fields
 * of the query are not ignored.
 *
 * @throws {InvalidFieldsError} If a field is given in both.
 */
export function withQuery(
  body: unknown,
  query: Readonly<Record<string, unknown>>,
): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return body;
  }
  const twice = Object.keys(query).find((name) => Object.hasOwn(body, name));
  if (twice !== undefined) throw givenTwice(twice);
  return { ...body, ...query };
}

function givenTwice(name: string): InvalidFieldsError {
  return invalidField(`/${name.slice(0, 64)}`, "is given twice");
}

function valueOf(text: string): unknown {
  if (text.length > MAX_JSON_BARE_BYTES) {
    throw new BodyTooComplexError(
      `expected at most ${MAX_JSON_BARE_BYTES} characters`,
    );
  }
  try {
    return parseJsonText(text);
  } catch (error) {
    if (!(error instanceof MalformedBodyError)) throw error;
    return text;
  }
}
