/**
 * The suggested questions.
 *
 * @module
 */

// @ts-check

/** The default question. */
export const DESCRIBE = "Please describe the image";

/** Questions about one picture. The small model was trained on these. */
const OF_ONE = [
  DESCRIBE,
  "How many objects are there?",
  "What color is the background?",
  "What is on the left?",
  "What is at the top?",
];

/** Questions about several pictures. */
const OF_SEVERAL = [
  "Please describe the images",
  "What do the images have in common?",
  "What is different between the images?",
];

/**
 * @param {number} pictures Count of pictures.
 * @param {readonly string[]} asked Questions already asked about them.
 * @returns {string[]} Suggestions that were not asked yet.
 */
export function suggestions(pictures, asked) {
  const all = pictures > 1 ? OF_SEVERAL : OF_ONE;
  return all.filter((question) => !asked.includes(question));
}
