/**
 * The answers of a model to questions with accepted answers.
 *
 * @module
 */

import type { Requirement } from "../schema/refine.ts";

/**
 * Returns true if an answer has the words of one of the accepted answers, next
 * to each other and in order; case and punctuation do not count.
 */
export function accepts(expected: readonly string[], answer: string): boolean {
  const text = wordsOf(answer);
  return expected.some((one) => text.includes(wordsOf(one)));
}

/** Returns the prompt with what the answers of all rounds lacked. */
export function amendedPrompt(
  prompt: string,
  lacked: Iterable<Requirement>,
): string {
  return [
    prompt,
    ...Array.from(lacked, ({ amend, expect }) => amend ?? expect[0]!),
  ]
    .join(", ");
}

/** Returns the words of a text in lower case, with a space around each. */
function wordsOf(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return ` ${words.join(" ")} `;
}
