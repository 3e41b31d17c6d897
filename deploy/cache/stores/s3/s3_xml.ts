/**
 * The XML responses of S3.
 *
 * @module
 */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { LISTING_BYTES } from "../../snapshots/checked_listing.ts";
import { RemoteError } from "../../net/remote.ts";
import { boundedText } from "../bounded_text.ts";

/** Names of elements that may occur once or more often. */
const REPEATED = new Set(["Contents", "Part", "Upload"]);

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  isArray: (name) => REPEATED.has(name),
});

/** An element with child elements. */
export type Element = Readonly<Record<string, unknown>>;

/**
 * Returns a document's root element by name; undefined if it has another or is
 * truncated.
 */
export function documentElement(
  xml: string,
): { readonly name: string; readonly element: Element } | undefined {
  let parsed: Element;
  try {
    // The parser accepts truncated documents; a truncated list is unusable.
    if (XMLValidator.validate(xml) !== true) return undefined;
    parsed = parser.parse(xml);
  } catch {
    // Constructs that it refuses, such as nested entities, never come from S3.
    return undefined;
  }
  const [entry] = Object.entries(parsed);
  if (entry === undefined) return undefined;
  return { name: entry[0], element: elementOf(entry[1]) };
}

/** Returns the text of an element in `parent`; empty if there is none. */
export function textOf(parent: Element, name: string): string {
  const value = parent[name];
  return typeof value === "string" ? value : "";
}

/** Returns the elements called `name` in `parent`. */
export function elementsOf(parent: Element, name: string): readonly Element[] {
  const value = parent[name];
  return Array.isArray(value) ? value.map(elementOf) : [];
}

/** Returns the code of an error document; undefined for other documents. */
export function errorCode(xml: string): string | undefined {
  const found = documentElement(xml);
  // STS wraps its errors in another element.
  const error = found?.name === "ErrorResponse"
    ? elementOf(found.element["Error"])
    : found?.name === "Error"
    ? found.element
    : undefined;
  const code = error === undefined ? "" : textOf(error, "Code");
  return /^[\w.]{1,64}$/.test(code) ? code : undefined;
}

/**
 * Returns the text of a response.
 *
 * @throws {RemoteError} When the connection fails before the end, or the text
 * is longer than any response of S3.
 */
export async function readText(
  answer: Response,
  what: string,
  signal: AbortSignal,
): Promise<string> {
  return await boundedText({ what, access: "" }, answer, LISTING_BYTES, signal);
}

/** Returns the error for an unusable response. */
export function torn(what: string): RemoteError {
  return new RemoteError(
    `Cannot ${what}: the response is truncated or not from S3; try again later`,
    { type: "retry", retryAfterMs: undefined },
  );
}

function elementOf(value: unknown): Element {
  return value !== null && typeof value === "object" ? { ...value } : {};
}
