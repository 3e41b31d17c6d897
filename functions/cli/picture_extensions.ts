/**
 * The extensions of picture files, by which folders are searched. The type of a
 * picture is told by its bytes.
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
