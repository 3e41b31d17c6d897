/**
 * What a service says in JSON.
 *
 * @module
 */

import { LISTING_BYTES } from "../snapshots/checked_listing.ts";
import { RemoteError } from "../net/remote.ts";
import { boundedText } from "./bounded_text.ts";

/** An object of JSON. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * The object that an answer is.
 *
 * @throws {RemoteError} When it is none, or is cut off.
 */
export async function readRecord(
  answer: Response,
  what: string,
  signal: AbortSignal,
): Promise<JsonRecord> {
  const asked = { what, access: "" };
  const text = await boundedText(asked, answer, LISTING_BYTES, signal);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below: what is cut off is no object.
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new RemoteError(
      `Cannot ${what}: the answer is cut off or not JSON, try again later`,
      { type: "retry", retryAfterMs: undefined },
    );
  }
  return { ...value };
}

/** A text of `record`; empty if there is none. */
export function textField(record: JsonRecord, name: string): string {
  const value = record[name];
  return typeof value === "string" ? value : "";
}
