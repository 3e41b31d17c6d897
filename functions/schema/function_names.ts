/**
 * The functions that a server may have.
 *
 * @module
 */

/** The names of all functions, in the order in which they are listed. */
export const FUNCTION_NAMES = [
  "generate",
  "caption",
  "tokenize",
  "detokenize",
] as const;

/** A name of a function. */
export type FunctionName = typeof FUNCTION_NAMES[number];
