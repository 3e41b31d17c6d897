/**
 * The Git LFS pointer: the text in place of a large file that was not
 * downloaded.
 *
 * @module
 */

/** Pointer as `git lfs` writes it. */
export const LFS_POINTER: string =
  `version https://git-lfs.github.com/spec/v1\noid sha256:${
    "4d7a".repeat(16)
  }\nsize 4943162336\n`;
