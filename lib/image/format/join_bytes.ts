/**
 * The concatenation of byte arrays.
 *
 * `Buffer.concat` returns a part of a pooled buffer for small inputs, which
 * cannot be transferred to another thread and is no `Uint8Array<ArrayBuffer>`
 * of its own.
 *
 * @module
 */

/**
 * Returns the bytes of `parts`, one after the other.
 *
 * @param parts Arrays of any length; they are copied.
 */
export function joinBytes(
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
