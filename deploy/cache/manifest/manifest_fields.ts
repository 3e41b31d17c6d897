/**
 * Fields of a manifest, each looked at before it counts.
 *
 * @module
 */

import { shown } from "../base/shown.ts";

/** A manifest that cannot be used. */
export class ManifestError extends Error {
  /** Says which field is wrong. */
  constructor(
    /** The fault, without the subject. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot read the manifest: ${reason}`, options);
    this.name = "ManifestError";
  }
}

const MAX_TEXT = 4096;

/**
 * The fields of an object.
 *
 * @throws {ManifestError} When it is none, or has a field that is not `known`:
 * a later version may mean something by it that must not be missed.
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
      throw new ManifestError(`${name} has an unknown field ${shown(key)}`);
    }
  }
  return { ...value };
}

/**
 * The entries of a list.
 *
 * @throws {ManifestError} When it is none, or has over `most` entries.
 */
export function listOf(
  value: unknown,
  name: string,
  most: number,
): readonly unknown[] {
  if (!Array.isArray(value)) throw new ManifestError(`${name} is not a list`);
  if (value.length > most) {
    throw new ManifestError(
      `${name} has ${value.length} entries, over ${most}`,
    );
  }
  return value;
}

/**
 * A line of text.
 *
 * @throws {ManifestError} When it is none, is empty, long, or would confuse a
 * terminal.
 */
export function text(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_TEXT) {
    throw new ManifestError(
      `${name} is not a text of 1 to ${MAX_TEXT} characters`,
    );
  }
  if (/\p{Cc}/u.test(value)) {
    throw new ManifestError(`${name} has control characters`);
  }
  return value;
}

/**
 * A whole number.
 *
 * @throws {ManifestError} When it is none, or under `least`.
 */
export function natural(value: unknown, name: string, least: number): number {
  if (
    typeof value !== "number" || !Number.isSafeInteger(value) || value < least
  ) {
    throw new ManifestError(`${name} is not a whole number from ${least} up`);
  }
  return value;
}

/**
 * A SHA-256 in lower-case hex.
 *
 * @throws {ManifestError} When it is none.
 */
export function sha256(value: unknown, name: string): string {
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) {
    throw new ManifestError(`${name} is not a SHA-256 in hex`);
  }
  return value;
}
