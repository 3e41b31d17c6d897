/**
 * Which piece of a text each token is.
 *
 * The server turns tokens into text all together. So a mark that the text does
 * not have goes between them, and the answer is taken apart at the marks. A
 * token may end in the middle of a character; such tokens are asked for again,
 * together with those behind them.
 *
 * @module
 */

// @ts-check

/**
 * @typedef {{ text: string, tokens: number[] }} Piece
 * Text, and the tokens that are it: one, or those that share a character.
 */

/** Control characters that are one byte, and hardly ever in a text. */
const MARKS = ["\u0001", "\u0002", "\u0003", "\u0004", "\u0005", "\u0006"];

/** What stands for bytes that are no character. */
const BROKEN = "\ufffd";

/** The most bytes that a character has. */
const MAX_BYTES = 4;

/**
 * @typedef {{ start: number, end: number }} Stretch
 * Tokens from `start` up to `end`.
 */

/**
 * @param {string} text
 * @returns {string} A mark that is not in it.
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
 * @param {readonly number[]} mark Its tokens.
 * @returns {number[]} The groups with a mark between any two.
 */
export function withMarks(groups, mark) {
  return groups.flatMap((group, i) => i === 0 ? group : [...mark, ...group]);
}

/**
 * Stretches of tokens that may be a character together: of those that are none
 * by themselves, up to as many as a character has bytes, and all that are left.
 *
 * @param {readonly string[]} texts Of each token by itself.
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
 * The pieces of `tokens`.
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
 * The shortest stretch from `at` on that is whole, else the longest.
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
 * Tokens as people write them.
 *
 * @param {string} text
 * @returns {number[]}
 */
export function parseTokens(text) {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const stray = words.find((word) => !/^\d+$/.test(word));
  if (stray !== undefined) {
    throw new RangeError(
      `Cannot read tokens: ${stray} is no whole number`,
    );
  }
  return words.map(Number);
}

/** How many hues neighbours are told apart by. */
export const HUES = 6;

/**
 * What can be seen of a piece: white space would not be.
 *
 * @param {string} text
 */
export function visible(text) {
  if (text === "") return "∅";
  return text.replaceAll("\n", "↵\n").replaceAll("\t", "⇥\t")
    .replaceAll(/^ | $/g, "·");
}
