/**
 * Files that stand for others: what a Git repository or a web site gives in
 * place of a file's content.
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

/** Bytes of a file that tell a placeholder. */
const HEAD_BYTES = 128;

/** The second is its name before version 1. */
const POINTER = /^version https:\/\/(git-lfs|hawser)\.github\.com\/spec\//;

const PAGE = /^\s*<(!doctype html|html)/i;

/** Files that may well begin as a page does. */
const MARKUP = /\.(html?|md)$/i;

/**
 * Returns what a file is in place of its content, and what to do about it;
 * undefined where it is none of these.
 *
 * @param path Of the file.
 * @param bytes Its first bytes, of which 128 count.
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
    return "it is a web page, not the file itself: download the file that the page is about";
  }
  return undefined;
}

/**
 * Refuses a file that stands for another one.
 *
 * @param path Of the file, for the message.
 * @param bytes Its first bytes, of which 128 count.
 * @throws {CheckpointError} Saying what it is and what to do.
 */
export function refusePlaceholder(path: string, bytes: Uint8Array): void {
  const reason = placeholderReason(path, bytes);
  if (reason !== undefined) throw new CheckpointError(path, reason);
}

/**
 * Returns the {@linkcode placeholderReason} of the file at `path`; undefined
 * where it cannot be read.
 */
export async function placeholderAt(path: string): Promise<string | undefined> {
  try {
    // Before it is opened: opening a pipe waits for its other end.
    if (!(await Deno.stat(path)).isFile) return undefined;
    using file = await Deno.open(path);
    const bytes = new Uint8Array(HEAD_BYTES);
    const count = await file.read(bytes);
    return placeholderReason(path, bytes.subarray(0, count ?? 0));
  } catch {
    // Whoever needs its content says what is wrong.
    return undefined;
  }
}
