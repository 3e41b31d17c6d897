/**
 * What S3 says in XML.
 *
 * @module
 */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { LISTING_BYTES } from "../../snapshots/checked_listing.ts";
import { RemoteError } from "../../net/remote.ts";
import { boundedText } from "../bounded_text.ts";

/** Elements that may be there once or more often. */
const REPEATED = new Set(["Contents", "Part", "Upload"]);

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  isArray: (name) => REPEATED.has(name),
});

/** An element with others in it. */
export type Element = Readonly<Record<string, unknown>>;

/** A document's one element by name; undefined when it is none, or is torn. */
export function documentElement(
  xml: string,
): { readonly name: string; readonly element: Element } | undefined {
  let parsed: Element;
  try {
    // The parser makes the best of what is torn; a list must not be.
    if (XMLValidator.validate(xml) !== true) return undefined;
    parsed = parser.parse(xml);
  } catch {
    // What it refuses, such as entities of entities, is no answer of S3.
    return undefined;
  }
  const [entry] = Object.entries(parsed);
  if (entry === undefined) return undefined;
  return { name: entry[0], element: elementOf(entry[1]) };
}

/** The text of an element in `parent`; empty if there is none. */
export function textOf(parent: Element, name: string): string {
  const value = parent[name];
  return typeof value === "string" ? value : "";
}

/** The elements called `name` in `parent`. */
export function elementsOf(parent: Element, name: string): readonly Element[] {
  const value = parent[name];
  return Array.isArray(value) ? value.map(elementOf) : [];
}

/** The code of an error document; undefined when it is another. */
export function errorCode(xml: string): string | undefined {
  const found = documentElement(xml);
  // STS wraps its own.
  const error = found?.name === "ErrorResponse"
    ? elementOf(found.element["Error"])
    : found?.name === "Error"
    ? found.element
    : undefined;
  const code = error === undefined ? "" : textOf(error, "Code");
  return /^[\w.]{1,64}$/.test(code) ? code : undefined;
}

/**
 * The text of an answer.
 *
 * @throws {RemoteError} When the connection fails before its end, or it has more
 * than any answer of S3.
 */
export async function readText(
  answer: Response,
  what: string,
  signal: AbortSignal,
): Promise<string> {
  return await boundedText({ what, access: "" }, answer, LISTING_BYTES, signal);
}

/** The error that an answer without sense is. */
export function torn(what: string): RemoteError {
  return new RemoteError(
    `Cannot ${what}: the answer is cut off or not S3's, try again later`,
    { type: "retry", retryAfterMs: undefined },
  );
}

function elementOf(value: unknown): Element {
  return value !== null && typeof value === "object" ? { ...value } : {};
}
