/**
 * The operations on a disk, with errors that give advice.
 *
 * @module
 */

import { statfs } from "node:fs/promises";
import { PlainFileError } from "../../../lib/loading/plain_file.ts";
import { writeWholeFile } from "../../../lib/loading/whole_file.ts";

/** The error thrown when a disk cannot store data. */
export class DiskError extends Error {
  /** Creates an error with the fault and the advice. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DiskError";
  }
}

/** Messages of the system, each with advice. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ENOSPC|os error 28\b/, "the disk is full; free some space"],
  [/EDQUOT|os error 122\b/, "the quota is used up; free some space"],
  [/EROFS|os error 30\b/, "it is mounted read-only; mount it writable"],
  [
    /ENOTDIR|EEXIST|os error 17\b|os error 20\b/,
    "a file is in the place of a folder; remove it",
  ],
  [/EFBIG|os error 27\b/, "the file is too large for this file system"],
  [
    /EACCES|EPERM|os error 1\b|os error 13\b|NotCapable|PermissionDenied/,
    "permission is denied; grant write access",
  ],
];

/** Advice for downloads. */
const REMEDY = "set MODEL_CACHE to another folder";

/**
 * Returns the result of `work` on the file or folder at `path`.
 *
 * @throws {DiskError} When the disk refuses it; with advice, `remedy` included.
 */
export async function onDisk<T>(
  path: string,
  work: () => T | Promise<T>,
  remedy: string = REMEDY,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(path, error, remedy);
  }
}

/** Returns the disk error for `error`, if it is one that users can fix. */
export function diskError(
  path: string,
  error: unknown,
  remedy: string = REMEDY,
): unknown {
  if (!(error instanceof Error) || error instanceof DiskError) return error;
  if (error instanceof PlainFileError) {
    return new DiskError(`Cannot write ${path}: ${error.message}`, {
      cause: error,
    });
  }
  const code = "code" in error ? String(error.code) : "";
  const text = `${code} ${error.name} ${error.message}`;
  const reason = REASONS.find(([pattern]) => pattern.test(text))?.[1];
  if (reason === undefined) return error;
  return new DiskError(
    `Cannot write ${path}: ${reason} or ${remedy}`,
    { cause: error },
  );
}

/**
 * Returns the bytes that may still be written into `folder`; undefined if
 * unknown.
 */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return Number(bavail) * Number(bsize);
  } catch {
    // The system does not report it, or access is denied: the write will show
    // it.
    return undefined;
  }
}

/**
 * Makes changes in `folder` safe from a power loss, as far as the system
 * supports it.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    using file = await Deno.open(folder);
    await file.sync();
  } catch {
    // Windows opens no folders, and some network disks do not sync them.
  }
}

/** Writes `content` to `path` so that readers see all of it or nothing. */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  remedy: string = REMEDY,
): Promise<void> {
  await onDisk(path, () => writeWholeFile(path, content), remedy);
}
