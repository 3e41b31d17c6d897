/**
 * The field errors: the issues that Valibot finds in a body, as fields and what
 * was expected of them.
 *
 * @module
 */

import type * as v from "valibot";
import { MAX_FIELD_ERRORS } from "../body_limits.ts";
import { fieldSuggestion } from "./field_names.ts";
import type { FieldError } from "./errors.ts";

/** Maximum characters of a field's name that an error quotes. */
const MAX_NAME = 64;

/** An issue, and the keys that lead to it from the body. */
interface Located {
  /** Issue; undefined for a list in place of an object. */
  readonly issue: v.BaseIssue<unknown> | undefined;
  readonly keys: readonly unknown[];
}

/**
 * Returns the fields at fault, at most `MAX_FIELD_ERRORS`.
 *
 * @param schema Schema that found the issues: its names are suggested for
 * unknown ones.
 */
export function fieldErrors(
  issues: readonly v.BaseIssue<unknown>[],
  schema: v.GenericSchema,
): FieldError[] {
  return issues.slice(0, MAX_FIELD_ERRORS)
    .flatMap((issue) => located(issue, []))
    .slice(0, MAX_FIELD_ERRORS)
    .map((one) => fieldError(one, schema))
    .filter(({ pointer, detail }, i, all) =>
      i ===
        all.findIndex((one) => one.pointer === pointer && one.detail === detail)
    );
}

/**
 * Returns an issue at its location. For a union Valibot reports that no
 * alternative matches; this reports the issue of the closest one. A `variant`
 * of tagged objects needs no such search.
 */
function located(
  issue: v.BaseIssue<unknown>,
  above: readonly unknown[],
): Located[] {
  const path = issue.path ?? [];
  const keys = [...above, ...path.map(({ key }) => key)];
  // Valibot accepts a list as an object without fields.
  const list = path.findIndex(({ type, input }) =>
    type === "object" && Array.isArray(input)
  );
  if (list >= 0) {
    return [{ issue: undefined, keys: keys.slice(0, above.length + list) }];
  }
  if (issue.type !== "union" || issue.issues === undefined) {
    return [{ issue, keys }];
  }
  // An alternative of the right type reports issues inside of the value, or of
  // its form; the others report only that the type differs.
  const relevant = issue.issues.filter(({ path, kind }) =>
    path !== undefined || kind === "validation"
  );
  if (relevant.length === 0) return [{ issue, keys }];
  return relevant.flatMap((inner) => located(inner, keys));
}

function fieldError(
  { issue, keys }: Located,
  schema: v.GenericSchema,
): FieldError {
  const pointer = keys
    .map((key) => String(key).slice(0, MAX_NAME))
    .map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
  if (issue === undefined) return { pointer, detail: "expected object" };
  if (issue.type === "strict_object" && issue.expected === "never") {
    const suggestion = fieldSuggestion(schema, keys);
    return { pointer, detail: `unknown field${suggestion}` };
  }
  return { pointer, detail: expectation(issue) };
}

/**
 * Returns the expected value. Valibot's own message quotes the value that was
 * sent.
 */
function expectation(issue: v.BaseIssue<unknown>) {
  const { type, expected, received, message } = issue;
  const limit = expected?.replace(/^[<>]=?/, "");
  switch (type) {
    case "integer":
      return "expected a whole number";
    case "finite":
      return "expected a finite number";
    case "min_value":
      return `expected ${limit} or more`;
    case "gt_value":
      return `expected more than ${limit}`;
    case "max_value":
      return `expected ${limit} or less`;
    case "min_length":
      return `expected a length of ${limit} or more`;
    case "max_length":
      return `expected a length of ${limit} or less`;
    case "regex":
      // A schema's own message is safe; Valibot's quotes the value that was
      // sent.
      return message.startsWith("expected ")
        ? message
        : `expected text that matches ${expected}`;
  }
  if (received === "undefined") return "is required";
  return `expected ${expected === null ? "another value" : words(expected)}`;
}

/** Returns the JSON names of types, joined by "or". */
function words(expected: string): string {
  const kinds = expected.replace(/^\((.*)\)$/s, "$1")
    .replaceAll(/\b(Array|Object)\b/g, (name) => name.toLowerCase())
    .split(" | ");
  return kinds.join(", ").replace(/, ([^,]*)$/, " or $1");
}
