/**
 * The alignment of tokens with the pieces of text that they decode to.
 *
 * The server decodes all tokens into one text. So a marker that the text does
 * not contain is put between them, and the result is split at the markers. A
 * token may end in the middle of a character; such tokens are decoded again,
 * together with those after them.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ text: string, tokens: number[] }} Piece
 * Text and its tokens: one, or several that share a character.
 */

/** Control characters of one byte, which texts hardly ever contain. */
const MARKS = ["\u0001", "\u0002", "\u0003", "\u0004", "\u0005", "\u0006"];

/** Replacement character of bytes that form no character. */
const BROKEN = "\ufffd";

/** Maximum bytes of a character. */
const MAX_BYTES = 4;

/**
 * @typedef {{ start: number, end: number }} Stretch
 * Range of tokens from `start` up to `end`.
 */

/**
 * @param {string} text
 * @returns {string} Marker that the text does not contain.
 */
export function markFor(text) {
  const mark = MARKS.find((mark) => !text.includes(mark));
  if (mark === undefined) {
    throw new RangeError(
      "Cannot show tokens: the text has all of the control characters 1 to 6",
    );
  }
  return mark;
}

/**
 * @param {readonly (readonly number[])[]} groups
 * @param {readonly number[]} mark Tokens of the marker.
 * @returns {number[]} Groups, with the marker between each two.
 */
export function withMarks(groups, mark) {
  return groups.flatMap((group, i) => i === 0 ? group : [...mark, ...group]);
}

/**
 * Returns the ranges of tokens that may form a character together: tokens that
 * form none alone, up to the maximum bytes of a character, and the whole rest.
 *
 * @param {readonly string[]} texts Text of each token alone.
 * @returns {Stretch[]}
 */
export function stretches(texts) {
  /** @type {Stretch[]} */
  const found = [];
  for (let start = 0; start < texts.length; start++) {
    let end = start;
    while (texts[end]?.includes(BROKEN)) end++;
    const longest = Math.min(end, start + MAX_BYTES);
    for (let i = start + 2; i <= longest; i++) found.push({ start, end: i });
    if (end > longest) found.push({ start, end });
  }
  return found;
}

/**
 * Splits `tokens` into pieces.
 *
 * @param {readonly number[]} tokens
 * @param {{ text: string, tokens: readonly number[] }} mark
 * @param {(tokens: number[]) => Promise<string>} decode
 * @returns {Promise<Piece[]>}
 */
export async function piecesOf(tokens, mark, decode) {
  if (tokens.length === 0) return [];
  /** @param {readonly Stretch[]} all */
  const textsOf = async (all) => {
    const groups = all.map(({ start, end }) => tokens.slice(start, end));
    return (await decode(withMarks(groups, mark.tokens))).split(mark.text);
  };
  const singles = tokens.map((_, start) => ({ start, end: start + 1 }));
  const texts = await textsOf(singles);
  const longer = stretches(texts);
  const longerTexts = longer.length === 0 ? [] : await textsOf(longer);
  /** @type {Piece[]} */
  const pieces = [];
  for (let at = 0; at < tokens.length;) {
    const next = wholeAt(at, texts, longer, longerTexts);
    pieces.push({ text: next.text, tokens: tokens.slice(at, next.end) });
    at = next.end;
  }
  return pieces;
}

/**
 * Returns the shortest complete range from `at` on, or else the longest.
 *
 * @param {number} at
 * @param {readonly string[]} texts
 * @param {readonly Stretch[]} longer
 * @param {readonly string[]} longerTexts
 * @returns {{ text: string, end: number }}
 */
function wholeAt(at, texts, longer, longerTexts) {
  let best = { text: texts[at] ?? "", end: at + 1 };
  for (const [i, { start, end }] of longer.entries()) {
    if (!best.text.includes(BROKEN)) break;
    if (start === at) best = { text: longerTexts[i] ?? "", end };
  }
  return best;
}

/**
 * Parses a list of tokens.
 *
 * @param {string} text
 * @returns {number[]}
 */
export function parseTokens(text) {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const stray = words.find((word) => !/^\d+$/.test(word));
  if (stray !== undefined) {
    throw new RangeError(
      `Cannot read tokens: ${stray} is not a whole number`,
    );
  }
  return words.map(Number);
}

/** Count of hues that distinguish neighbors. */
export const HUES = 6;

/**
 * Makes whitespace of a piece visible.
 *
 * @param {string} text
 */
export function visible(text) {
  if (text === "") return "∅";
  return text.replaceAll("\n", "↵\n").replaceAll("\t", "⇥\t")
    .replaceAll(/^ | $/g, "·");
}
