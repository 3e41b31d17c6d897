/**
 * The detection of placeholders: Git LFS pointers and web pages in place of a
 * file's content.
 *
 * ```text
 * version https://git-lfs.github.com/spec/v1     a Git LFS pointer: the content
 * oid sha256:…                                   was not downloaded
 * size 4943162336
 * ```
 *
 * Format: git-lfs/docs/spec.md.
 *
 * @module
 */

import { CheckpointError } from "../errors.ts";

/** Number of bytes that identify a placeholder. */
const HEAD_BYTES = 128;

/** A pattern of a pointer; the second name was used before version 1. */
const POINTER = /^version https:\/\/(git-lfs|hawser)\.github\.com\/spec\//;

const PAGE = /^\s*<(!doctype html|html)/i;

/** A pattern of the names of files that may begin like a web page. */
const MARKUP = /\.(html?|md)$/i;

/**
 * Returns the kind of a placeholder, and the remedy; undefined for any other
 * file.
 *
 * @param path Path of the file.
 * @param bytes First bytes of the file; 128 are used.
 */
export function placeholderReason(
  path: string,
  bytes: Uint8Array,
): string | undefined {
  const head = new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES));
  if (POINTER.test(head)) {
    return 'it is a Git LFS pointer, not the file itself: run "git lfs pull" in the repository that it comes from, then copy it again';
  }
  if (PAGE.test(head) && !MARKUP.test(path)) {
    return "it is a web page, not the file itself; download the file that the page describes";
  }
  return undefined;
}

/**
 * Refuses a placeholder.
 *
 * @param path Path of the file, for the message.
 * @param bytes First bytes of the file; 128 are used.
 * @throws {CheckpointError} If it is a placeholder; the message names kind and
 * remedy.
 */
export function refusePlaceholder(path: string, bytes: Uint8Array): void {
  const reason = placeholderReason(path, bytes);
  if (reason !== undefined) throw new CheckpointError(path, reason);
}

/**
 * Returns the {@linkcode placeholderReason} of the file at `path`; undefined if
 * it cannot be read.
 */
export async function placeholderAt(path: string): Promise<string | undefined> {
  try {
    // Checked before opening, since opening a pipe blocks until its other end
    // is opened.
    if (!(await Deno.stat(path)).isFile) return undefined;
    using file = await Deno.open(path);
    const bytes = new Uint8Array(HEAD_BYTES);
    const count = await file.read(bytes);
    return placeholderReason(path, bytes.subarray(0, count ?? 0));
  } catch {
    // The reader of the content reports the error.
    return undefined;
  }
}
