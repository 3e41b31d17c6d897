/**
 * The layout of Hugging Face's cache.
 *
 * ```text
 * hub/models--BAAI--Emu3-Gen/refs/main              a commit
 *                           /snapshots/<commit>/    links to blobs: a checkpoint
 * ```
 *
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";

/** A pattern of a snapshot's path in a cache. */
const SNAPSHOT =
  /models--.+?--(?<name>[^/\\]+)[/\\]snapshots[/\\](?<commit>[^/\\]+)$/;

/** Returns the name of a model: its repository in a cache, else its folder. */
export function modelName(folder: string): string {
  const path = resolve(folder);
  return SNAPSHOT.exec(path)?.groups?.["name"] ?? basename(path);
}

/**
 * Returns the commit of a snapshot in a cache; undefined for any other folder.
 */
export function hubCommit(folder: string): string | undefined {
  return SNAPSHOT.exec(resolve(folder))?.groups?.["commit"];
}

/**
 * Returns the snapshot of a branch, tag or commit; undefined if the cache does
 * not hold it.
 *
 * @param repository Path such as `hub/models--BAAI--Emu3-Gen`.
 */
export async function hubSnapshot(
  repository: string,
  revision: string,
): Promise<string | undefined> {
  const commit = await readReference(join(repository, "refs", revision)) ??
    revision;
  const path = join(repository, "snapshots", commit);
  return await isFolder(path) ? path : undefined;
}

/** A folder beside a model, and its name. */
export interface Neighbor {
  /** Path of the folder. */
  readonly path: string;
  /** Name of the folder or of its repository. */
  readonly name: string;
}

/** Returns the folders beside a model, or in a cache the main snapshots. */
export async function neighbors(folder: string): Promise<Neighbor[]> {
  const path = resolve(folder);
  const inCache = SNAPSHOT.test(path);
  const parent = inCache ? dirname(dirname(dirname(path))) : dirname(path);
  const found: Neighbor[] = [];
  for await (const { name, isFile } of Deno.readDir(parent)) {
    if (isFile) continue;
    const beside = join(parent, name);
    if (!inCache) {
      found.push({ path: beside, name });
      continue;
    }
    const snapshot = await hubSnapshot(beside, "main");
    if (snapshot !== undefined) {
      found.push({ path: snapshot, name: modelName(snapshot) });
    }
  }
  return found;
}

/** A pattern of revisions that are safe as a folder name. */
const COMMIT = /^(?!\.+$)[\w.-]{1,128}$/;

/** The maximum length of a reference file, in bytes. */
const MAX_REFERENCE_BYTES = 1024;

async function readReference(path: string): Promise<string | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > MAX_REFERENCE_BYTES) return undefined;
    const commit = (await Deno.readTextFile(path)).trim();
    return COMMIT.test(commit) ? commit : undefined;
  } catch {
    // No such reference: the revision may be a commit.
    return undefined;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    // It does not exist, or may not be read.
    return false;
  }
}
