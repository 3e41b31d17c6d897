/**
 * The JSON responses of a service.
 *
 * @module
 */

import { LISTING_BYTES } from "../snapshots/checked_listing.ts";
import { RemoteError } from "../net/remote.ts";
import { boundedText } from "./bounded_text.ts";

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * Reads a response as a JSON object.
 *
 * @throws {RemoteError} When it is not an object, or is cut off.
 */
export async function readRecord(
  answer: Response,
  what: string,
  signal: AbortSignal,
): Promise<JsonRecord> {
  const context = { what, access: "" };
  const text = await boundedText(context, answer, LISTING_BYTES, signal);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A truncated body is reported below, as one that is not an object.
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new RemoteError(
      `Cannot ${what}: the response is truncated or not JSON; try again later`,
      { type: "retry", retryAfterMs: undefined },
    );
  }
  return { ...value };
}

/** Returns a text field of `record`; empty if there is none. */
export function textField(record: JsonRecord, name: string): string {
  const value = record[name];
  return typeof value === "string" ? value : "";
}
