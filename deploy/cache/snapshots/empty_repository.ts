/**
 * Folders of repositories that hold nothing: a download that brought nothing
 * leaves none, since other tools warn of them.
 *
 * @module
 */

import { join } from "node:path";

/** Says what the repository is of, and is nothing of it. */
const SOURCE_FILE = join(".emu3", "source");

/** Returns whether the folder `repository` is there and has no file of a model. */
export async function holdsNothing(repository: string): Promise<boolean> {
  return await isBare(repository, "") ?? false;
}

/**
 * Removes the folder `repository` if it holds nothing. Whoever calls holds the
 * lock of the repository.
 */
export async function removeIfEmpty(repository: string): Promise<void> {
  try {
    if (!await holdsNothing(repository)) return;
    await Deno.remove(repository, { recursive: true });
  } catch {
    // Not ours to remove: it stays as others have made it.
  }
}

/** Returns whether a folder has folders alone; undefined where there is none. */
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
