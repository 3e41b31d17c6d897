/**
 * Time as OpenAI writes it.
 *
 * @module
 */

/** Now, in whole seconds of Unix time. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
