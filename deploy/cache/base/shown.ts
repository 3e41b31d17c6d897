/**
 * The escaping of untrusted text in messages.
 *
 * @module
 */

const MAX_CHARACTERS = 80;

/**
 * Returns `text` in quotes, truncated if it is long, with characters escaped
 * that move a terminal's cursor, start a line or hide others.
 */
export function shown(text: string): string {
  const short = text.length > MAX_CHARACTERS
    ? `${text.slice(0, MAX_CHARACTERS)}…`
    : text;
  return JSON.stringify(short).replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`,
  );
}
