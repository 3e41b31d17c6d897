/**
 * Fields of a query or a form, which are all text.
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

/** A schema whose fields are known one by one. */
export type FieldSchema<T> = v.GenericSchema<unknown, T> & {
  readonly entries: v.ObjectEntries;
};

/** The query of `request`, field by field. */
export function queryOf(request: Request): [string, string][] {
  return [...new URL(request.url).searchParams];
}

/**
 * Texts as the schema means them: `"7"` is text where text is wanted and a
 * number where not.
 *
 * @throws {InvalidFieldsError} When a field is given twice.
 * @throws {BodyTooComplexError} When one has more JSON than is taken.
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
 * `body` with the fields of a query, if it is one that has fields: a field that
 * stands beside a body is not ignored.
 *
 * @throws {InvalidFieldsError} When a field is given in both.
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
      `at most ${MAX_JSON_BARE_BYTES} characters of a field that is no text are taken`,
    );
  }
  try {
    return parseJsonText(text);
  } catch (error) {
    if (!(error instanceof MalformedBodyError)) throw error;
    return text;
  }
}
