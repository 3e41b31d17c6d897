/**
 * The removal of repositories without files: a download without files leaves
 * none, since other tools warn of them.
 *
 * @module
 */

import { join } from "node:path";

/**
 * Path of the note on a repository's source, which does not count as content.
 */
const SOURCE_FILE = join(".emu3", "source");

/**
 * Returns true if the folder `repository` exists and has no file of a model.
 */
export async function holdsNothing(repository: string): Promise<boolean> {
  return await isBare(repository, "") ?? false;
}

/**
 * Removes the folder `repository` if it holds no files. The caller holds the
 * lock of the repository.
 */
export async function removeIfEmpty(repository: string): Promise<void> {
  try {
    if (!await holdsNothing(repository)) return;
    await Deno.remove(repository, { recursive: true });
  } catch {
    // Not removable by this user: it is kept.
  }
}

/** Returns true if a folder holds only folders; undefined if there is none. */
async function isBare(
  repository: string,
  within: string,
): Promise<boolean | undefined> {
  try {
    for await (const entry of Deno.readDir(join(repository, within))) {
      const path = join(within, entry.name);
      if (path === SOURCE_FILE) continue;
      if (!entry.isDirectory || await isBare(repository, path) === false) {
        return false;
      }
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
