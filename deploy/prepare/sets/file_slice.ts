/**
 * The random access to files: a range of bytes by its offset.
 *
 * @module
 */

import { readReason } from "../../../lib/loading/read_reason.ts";
import { MISSING_PART, PreparedSetError } from "../preparation_error.ts";

/** A range of bytes of a file. */
export interface FileSlice {
  /** Offset of the first byte. */
  readonly start: number;
  /** Number of bytes. */
  readonly length: number;
}

/**
 * Returns the bytes of a range. Calls may overlap: each opens the file anew.
 *
 * @throws {PreparedSetError} If the file cannot be read or is shorter.
 */
export async function readSlice(
  path: string,
  { start, length }: FileSlice,
): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openToRead(path);
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw new PreparedSetError(path, "it is truncated");
    at += count;
  }
  return bytes;
}

/**
 * Opens a file of a set.
 *
 * @throws {PreparedSetError} If it cannot be opened; names the reason.
 */
export async function openToRead(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (cause) {
    const reason = readReason(cause, MISSING_PART);
    throw new PreparedSetError(path, reason, { cause });
  }
}

/** A file as the Parquet packages read it. */
export interface SlicedFile {
  /** Bytes of the file. */
  readonly byteLength: number;
  /** Returns the bytes from `start` to `end`, or to the file's end. */
  readonly slice: (start: number, end?: number) => Promise<ArrayBuffer>;
}

/**
 * Returns the file at `path` as the Parquet packages read it.
 *
 * @throws {PreparedSetError} If it cannot be opened.
 */
export async function slicedFile(path: string): Promise<SlicedFile> {
  using file = await openToRead(path);
  const { size } = await file.stat();
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const { buffer } = await readSlice(path, { start, length: end - start });
      return buffer;
    },
  };
}
