/**
 * Parsers for the fields of a manifest, each with its checks.
 *
 * @module
 */

import { quoteText } from "../../../lib/escaped_text.ts";

/** The error thrown for an unusable manifest. */
export class ManifestError extends Error {
  /** Creates an error that names the field at fault. */
  constructor(
    /** Description of the fault, without its subject. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot read the manifest: ${reason}`, options);
    this.name = "ManifestError";
  }
}

const MAX_TEXT = 4096;

/**
 * Returns the fields of an object.
 *
 * @throws {ManifestError} When `value` is not an object, or has a field that is
 * not `known`: a later version may give it a meaning that must not be missed.
 */
export function recordOf(
  value: unknown,
  name: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new ManifestError(`${name} is not an object`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new ManifestError(`${name} has an unknown field ${quoteText(key)}`);
    }
  }
  return { ...value };
}

/**
 * Returns the entries of a list.
 *
 * @throws {ManifestError} When it is not a list, or has over `most` entries.
 */
export function listOf(
  value: unknown,
  name: string,
  most: number,
): readonly unknown[] {
  if (!Array.isArray(value)) throw new ManifestError(`${name} is not a list`);
  if (value.length > most) {
    throw new ManifestError(
      `${name} has ${value.length} entries, expected at most ${most}`,
    );
  }
  return value;
}

/**
 * Returns a line of text.
 *
 * @throws {ManifestError} When it is not text, is empty or too long, or has
 * characters that would confuse a terminal.
 */
export function text(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_TEXT) {
    throw new ManifestError(
      `${name} is not text of 1 to ${MAX_TEXT} characters`,
    );
  }
  if (/\p{Cc}/u.test(value)) {
    throw new ManifestError(`${name} has control characters`);
  }
  return value;
}

/**
 * Returns a whole number.
 *
 * @throws {ManifestError} When it is not a whole number, or is under `least`.
 */
export function natural(value: unknown, name: string, least: number): number {
  if (
    typeof value !== "number" || !Number.isSafeInteger(value) || value < least
  ) {
    throw new ManifestError(
      `${name} is not a whole number of ${least} or more`,
    );
  }
  return value;
}

/**
 * Returns a SHA-256 in lower-case hex.
 *
 * @throws {ManifestError} When it is not a SHA-256.
 */
export function sha256(value: unknown, name: string): string {
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) {
    throw new ManifestError(`${name} is not a SHA-256 in hex`);
  }
  return value;
}
