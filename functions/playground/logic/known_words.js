/**
 * The vocabulary of a small model: random prompts, and unknown words.
 *
 * @module
 */

// @ts-check

/** Maximum of unknown words that are listed; the rest is counted. */
const MOST_NAMED = 3;

/** Background colors of random prompts, if the model has them. */
const COLORS = [
  "white",
  "gray",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "orange",
];

/**
 * Returns the words of `prompt` that are not among `known`, each once.
 *
 * @param {string} prompt
 * @param {readonly string[]} known Words in lower case; empty for a model of
 *   open vocabulary.
 * @returns {string[]}
 */
export function unknownWords(prompt, known) {
  if (known.length === 0) return [];
  const words = prompt.toLowerCase().match(/\p{L}+/gu) ?? [];
  return [...new Set(words)].filter((word) => !known.includes(word));
}

/**
 * Returns a sentence about unknown words; empty if there are none.
 *
 * @param {readonly string[]} unknown
 */
export function unknownText(unknown) {
  if (unknown.length === 0) return "";
  const named = unknown.slice(0, MOST_NAMED).map((word) => `“${word}”`);
  const more = unknown.length - named.length;
  const rest = more > 0 ? ` and ${more} more` : "";
  return `This small model does not know ${
    named.join(", ")
  }${rest}; it will draw something else.`;
}

/**
 * Returns a prompt of two things on a background.
 *
 * @param {readonly string[]} subjects Subjects, at least one.
 * @param {readonly string[]} known
 * @param {() => number} random Source of numbers in [0, 1).
 */
export function surprise(subjects, known, random) {
  const pick = (/** @type {readonly string[]} */ list) =>
    list[Math.floor(random() * list.length)] ?? "";
  const first = pick(subjects);
  const others = subjects.filter((subject) => subject !== first);
  const second = others.length > 0 ? pick(others) : first;
  const relation = pick(["left of", "above", "next to"]);
  const colors = COLORS.filter((color) => known.includes(color));
  const ground = colors.length > 0
    ? ` on ${article(pick(colors))} background`
    : "";
  return `${article(first)} ${relation} ${article(second)}${ground}`;
}

/** @param {string} noun */
function article(noun) {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}
