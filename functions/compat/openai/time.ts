/**
 * The time in OpenAI's format.
 *
 * @module
 */

/** Returns the current time in whole seconds of Unix time. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
