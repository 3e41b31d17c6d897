/**
 * Names for pictures.
 *
 * @module
 */

// @ts-check

/** A name that nothing else has; `randomUUID` is for https alone. */
export function pictureId() {
  const parts = crypto.getRandomValues(new Uint32Array(4));
  return [...parts].map((part) => part.toString(36)).join("-");
}
