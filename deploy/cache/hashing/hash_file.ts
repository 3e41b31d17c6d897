/**
 * The hashes of a file and of its parts, from one reading.
 *
 * @module
 */

import {
  type ContentHash,
  contentHash,
  type HashKind,
} from "./content_hash.ts";
import type { ByteRange } from "../net/remote.ts";

/** A file to hash, as plain data that may cross to a thread. */
export interface HashJob {
  /** Path of the file. */
  readonly path: string;
  /** Kind of hash. */
  readonly kind: HashKind;
  /** Range to hash, cut off at the end of the file. */
  readonly range?: ByteRange;
  /** Bytes of a part, if hashes of parts are requested. */
  readonly partSize?: number;
}

/** Hashes of a file, in hex. */
export interface FileHashes {
  /** Bytes that were read. */
  readonly size: number;
  /** Hash of all bytes. */
  readonly hex: string;
  /** Hash of each part; empty if none were requested. */
  readonly parts: readonly string[];
}

/** The result for a file: its hashes, or an error. */
export type Hashed =
  | { readonly type: "hashes"; readonly hashes: FileHashes }
  | { readonly type: "failure"; readonly reason: string };

/** Bytes per read. */
const READ_BYTES = 2 ** 20;

/**
 * Hashes a file.
 *
 * @param onBytes Called with the number of bytes read.
 */
export async function hashFile(
  { path, kind, range, partSize }: HashJob,
  onBytes: (bytes: number) => void = () => {},
): Promise<FileHashes> {
  using file = await Deno.open(path);
  if (range !== undefined) await file.seek(range.start, Deno.SeekMode.Start);
  const wanted = range === undefined ? Infinity : range.end - range.start;
  const expected = range === undefined ? (await file.stat()).size : wanted;
  const whole = contentHash(kind, expected);
  const parts = new PartHashes(kind, partSize ?? Infinity);
  const buffer = new Uint8Array(READ_BYTES);
  let size = 0;
  while (size < wanted) {
    const most = Math.min(READ_BYTES, wanted - size, parts.left);
    const count = await file.read(buffer.subarray(0, most));
    if (count === null) break;
    const bytes = buffer.subarray(0, count);
    whole.update(bytes);
    if (partSize !== undefined) parts.update(bytes);
    size += count;
    onBytes(count);
  }
  return { size, hex: whole.digest(), parts: parts.digest() };
}

/** Hashes a file as {@linkcode hashFile} does, and returns errors as results. */
export async function tryToHash(
  job: HashJob,
  onBytes: (bytes: number) => void,
): Promise<Hashed> {
  try {
    return { type: "hashes", hashes: await hashFile(job, onBytes) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it failed";
    return { type: "failure", reason };
  }
}

/** Hashes of consecutive parts. */
class PartHashes {
  readonly #kind: HashKind;
  readonly #partSize: number;
  readonly #hexes: string[] = [];
  #hash: ContentHash | undefined;
  /** Bytes until the next part begins. */
  left: number;

  constructor(kind: HashKind, partSize: number) {
    this.#kind = kind;
    this.#partSize = partSize;
    this.left = partSize;
  }

  update(bytes: Uint8Array): void {
    this.#hash ??= contentHash(this.#kind, this.#partSize);
    this.#hash.update(bytes);
    this.left -= bytes.length;
    if (this.left === 0) this.#end();
  }

  /** Returns the hashes of all parts; the last may be shorter. */
  digest(): readonly string[] {
    this.#end();
    return this.#hexes;
  }

  #end(): void {
    if (this.#hash !== undefined) this.#hexes.push(this.#hash.digest());
    this.#hash = undefined;
    this.left = this.#partSize;
  }
}
