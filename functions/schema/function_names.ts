/**
 * The functions that a server may have.
 *
 * @module
 */

/** All of them, in the order they are listed. */
export const FUNCTION_NAMES = [
  "generate",
  "caption",
  "tokenize",
  "detokenize",
] as const;

/** One of them. */
export type FunctionName = typeof FUNCTION_NAMES[number];
