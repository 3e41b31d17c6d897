/**
 * The division of a file into parts for concurrent download.
 *
 * @module
 */

import type { ByteRange } from "../net/remote.ts";

const MEBIBYTE = 2 ** 20;

/** Approximate number of parts that a file is divided into. */
const PARTS_A_FILE = 64;

/**
 * Returns the bytes of a part for a file of `size` bytes: a power of two, 8 to
 * 64 MiB.
 */
export function partBytesOf(size: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, size / PARTS_A_FILE)));
  return Math.min(64 * MEBIBYTE, Math.max(8 * MEBIBYTE, wanted));
}

/** Returns the parts of a file, in order; an empty file has one empty part. */
export function partsOf(size: number, partBytes: number): ByteRange[] {
  const count = Math.max(1, Math.ceil(size / partBytes));
  return Array.from({ length: count }, (_, i) => ({
    start: i * partBytes,
    end: Math.min(size, (i + 1) * partBytes),
  }));
}

/** Returns the bytes of `parts` before the first that is not `here`. */
export function prefixBytesOf(
  parts: readonly ByteRange[],
  here: { has(part: number): boolean },
): number {
  const missing = parts.findIndex((_, i) => !here.has(i));
  return missing === -1 ? parts.at(-1)!.end : parts[missing]!.start;
}
