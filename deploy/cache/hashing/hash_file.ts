/**
 * Hashes of a file, all from one reading.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** What to hash. */
export interface HashJob {
  /** The file. */
  readonly path: string;
  /** Bytes of a part whose hash is wanted too; undefined: none. */
  readonly partSize: number | undefined;
  /** Whether Git's hash is wanted too. */
  readonly git: boolean;
}

/** What a file hashes to, in hex. */
export interface FileHashes {
  /** Bytes that were read. */
  readonly size: number;
  /** SHA-256 of the whole. */
  readonly sha256: string;
  /** What Git calls it: SHA-1 of length and content; empty if not wanted. */
  readonly gitSha1: string;
  /** SHA-256 of each part; empty where none was asked for. */
  readonly partSha256: readonly string[];
}

/** Bytes that are read at once. */
const READ_BYTES = 2 ** 20;

/**
 * Hashes a file.
 *
 * @param onBytes Hears of bytes that were read.
 */
export async function hashFile(
  { path, partSize = Infinity, git }: HashJob,
  onBytes: (bytes: number) => void,
): Promise<FileHashes> {
  using file = await Deno.open(path);
  const { size: expected } = await file.stat();
  const whole = createHash("sha256");
  const blob = git
    ? createHash("sha1").update(`blob ${expected}\0`)
    : undefined;
  const partSha256: string[] = [];
  const buffer = new Uint8Array(READ_BYTES);
  let part = createHash("sha256");
  let left = partSize;
  let size = 0;
  for (;;) {
    const most = Math.min(READ_BYTES, left);
    const count = await file.read(buffer.subarray(0, most));
    if (count === null) break;
    const bytes = buffer.subarray(0, count);
    whole.update(bytes);
    blob?.update(bytes);
    size += count;
    onBytes(count);
    if (partSize === Infinity) continue;
    part.update(bytes);
    left -= count;
    if (left > 0) continue;
    partSha256.push(part.digest("hex"));
    part = createHash("sha256");
    left = partSize;
  }
  if (left < partSize) partSha256.push(part.digest("hex"));
  return {
    size,
    sha256: whole.digest("hex"),
    gitSha1: blob?.digest("hex") ?? "",
    partSha256,
  };
}
