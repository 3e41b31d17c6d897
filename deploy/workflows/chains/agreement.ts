/**
 * The agreement of a prompt with a caption: which of its words are named.
 *
 * @module
 */

/** Words that name nothing in a picture. */
const FUNCTION_WORDS = new Set(
  ("a an the and or of on in at to by with from for is are it its this that " +
    "there some picture image photo drawing background").split(" "),
);

/** Returns the words of a prompt that a caption has, and those it lacks. */
export function namedWords(
  prompt: string,
  caption: string,
): { readonly named: string[]; readonly missing: string[] } {
  const present = new Set(contentWords(caption));
  const named: string[] = [];
  const missing: string[] = [];
  for (const word of new Set(contentWords(prompt))) {
    (present.has(word) ? named : missing).push(word);
  }
  return { named, missing };
}

/** Returns the share of the words of a prompt that a caption has. */
export function namedShare(prompt: string, caption: string): number {
  const { named, missing } = namedWords(prompt, caption);
  const words = named.length + missing.length;
  return words === 0 ? 1 : named.length / words;
}

/** Returns the words that name something, in lower case and singular. */
function contentWords(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !FUNCTION_WORDS.has(word)).map(singular);
}

/** Returns the singular of a regular English plural. */
function singular(word: string): string {
  if (/[^s]ies$/.test(word) && word.length > 4) return word.slice(0, -3) + "y";
  if (/(s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^su]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word;
}
