/**
 * The text that Git leaves in place of a large file that was not downloaded.
 *
 * @module
 */

/** A Git LFS pointer, as `git lfs` writes it. */
export const LFS_POINTER: string =
  `version https://git-lfs.github.com/spec/v1\noid sha256:${
    "4d7a".repeat(16)
  }\nsize 4943162336\n`;
