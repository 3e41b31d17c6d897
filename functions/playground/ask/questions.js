/**
 * Questions to begin with.
 *
 * @module
 */

// @ts-check

/** What is asked where nothing is. */
export const DESCRIBE = "Please describe the image";

/** About one picture. The small model was taught these. */
const OF_ONE = [
  DESCRIBE,
  "How many objects are there?",
  "What colour is the background?",
  "What is on the left?",
  "What is at the top?",
];

/** About several. */
const OF_SEVERAL = [
  "Please describe the images",
  "What do the images have in common?",
  "What is different between the images?",
];

/**
 * @param {number} pictures How many there are.
 * @param {readonly string[]} asked What was asked about them before.
 * @returns {string[]} Questions that were not.
 */
export function suggestions(pictures, asked) {
  const all = pictures > 1 ? OF_SEVERAL : OF_ONE;
  return all.filter((question) => !asked.includes(question));
}
