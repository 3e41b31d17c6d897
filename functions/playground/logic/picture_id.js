/**
 * The identifiers of pictures.
 *
 * @module
 */

// @ts-check

/** Returns a unique identifier; `randomUUID` would require https. */
export function pictureId() {
  const parts = crypto.getRandomValues(new Uint32Array(4));
  return [...parts].map((part) => part.toString(36)).join("-");
}
