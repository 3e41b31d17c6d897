/**
 * The escaping of untrusted text, for log lines, problem documents and
 * messages.
 *
 * A path, a header or a name from a download may contain newlines, terminal
 * sequences or characters that reorder a line. Each is written as a JSON escape
 * such as `\u001b`, so that one event stays one line and can be read as it was
 * sent.
 *
 * @module
 */

/**
 * Controls, format characters (bidirectional, zero-width, tags), lone
 * surrogates, private and unassigned characters, separators of lines and
 * paragraphs, and spaces other than U+0020.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/**
 * Returns `text` with unprintable characters escaped.
 *
 * @param maxLength Maximum number of UTF-16 units; the number of omitted ones
 * is appended.
 */
export function escapeText(text: string, maxLength = Infinity): string {
  const kept = text.length > maxLength ? text.slice(0, maxLength) : text;
  const escaped = kept.replaceAll(UNPRINTABLE, escapeCharacter);
  return kept.length === text.length
    ? escaped
    : `${escaped}… (${text.length - kept.length} more)`;
}

/** Returns `text` as one word: escaped, and its spaces as well. */
export function escapeWord(text: string, maxLength?: number): string {
  return escapeText(text, maxLength).replaceAll(" ", "\\u0020");
}

/** Returns `value` as one line of printable JSON. */
export function jsonLine(value: unknown): string {
  return escapeText(JSON.stringify(value));
}

/** Maximum UTF-16 units of a quoted text. */
const MAX_QUOTED = 80;

/** Returns `text` in quotes for a message: escaped, and shortened if long. */
export function quoteText(text: string): string {
  return text.length > MAX_QUOTED
    ? jsonLine(`${text.slice(0, MAX_QUOTED)}…`)
    : jsonLine(text);
}

/** Writes UTF-16 units, as JSON does. */
function escapeCharacter(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}
