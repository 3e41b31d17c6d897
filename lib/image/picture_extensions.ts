/**
 * The extensions of picture files, for searching folders. A picture's type is
 * detected from its bytes.
 *
 * @module
 */

/** Extensions in lower case. */
export const PICTURE_EXTENSIONS: readonly string[] = [
  ".png",
  ".apng",
  ".jpg",
  ".jpeg",
  ".gif",
  ".webp",
];
