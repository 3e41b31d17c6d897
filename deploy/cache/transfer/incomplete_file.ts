/**
 * The file that a download writes into until it is complete.
 *
 * @module
 */

import { openPlainFile } from "../../../lib/loading/plain_file.ts";
import { onDisk } from "../base/disk.ts";
import { RemoteError, type RemoteFile } from "../net/remote.ts";

/** An open file with room for all bytes. */
export interface IncompleteFile extends Disposable {
  /** Handle of the file. */
  readonly file: Deno.FsFile;
  /** True if the file already had its full length. */
  readonly asLong: boolean;
}

/**
 * Opens the file at `path`, at its full length.
 *
 * @throws {DiskError} When the disk does not store it, or a link is in its
 * place.
 */
export async function preallocate(
  path: string,
  size: number,
): Promise<IncompleteFile> {
  return await onDisk(path, async () => {
    const file = await openPlainFile(path);
    try {
      const asLong = (await file.stat()).size === size;
      if (!asLong) await file.truncate(size);
      return { file, asLong, [Symbol.dispose]: () => file.close() };
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

/** Removes the leftovers of content that does not match its hash. */
export async function discard(
  file: Pick<RemoteFile, "path">,
  ...remains: readonly string[]
): Promise<RemoteError> {
  for (const path of remains) await Deno.remove(path).catch(() => {});
  return notPromised("", file);
}

/** Returns the error for content whose hash differs repeatedly. */
export function notPromised(
  what: string,
  { path }: Pick<RemoteFile, "path">,
): RemoteError {
  return new RemoteError(
    `Cannot use ${what}${path}: its content does not match its published hash, also after repeated downloads`,
    { type: "elsewhere" },
  );
}
