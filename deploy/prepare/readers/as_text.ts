/**
 * The conversion of values of tables to texts.
 *
 * @module
 */

/**
 * Returns a value as a text: a text itself, a number or bytes in words, and of
 * a list, as COCO has for captions, the first. Undefined for all else.
 */
export function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") {
    return String(value);
  }
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (Array.isArray(value)) return asText(value[0]);
  return undefined;
}

/** Returns the fields of a JSON object; undefined for any other value. */
export function asFields(
  value: unknown,
): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}
