/**
 * The disk space that removing files frees.
 *
 * @module
 */

import { join } from "node:path";

/** A file by its inode, with any number of names. */
interface Content {
  readonly bytes: number;
  /** Names that it has anywhere. */
  readonly names: number;
  /** Names that are removed. */
  readonly going: Set<string>;
}

/**
 * Returns the bytes that removing `paths` frees, folders with their contents.
 * Links count as nothing, and a file that keeps another name stays.
 */
export async function freedBytes(paths: readonly string[]): Promise<number> {
  const contents = new Map<string, Content>();
  for (const path of paths) await collect(path, contents);
  let freed = 0;
  for (const { bytes, names, going } of contents.values()) {
    if (going.size >= names) freed += bytes;
  }
  return freed;
}

async function collect(
  path: string,
  contents: Map<string, Content>,
): Promise<void> {
  const info = await Deno.lstat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (info === undefined) return;
  const { isDirectory, isFile, dev, ino, nlink, blocks, size } = info;
  if (isDirectory) {
    for await (const { name } of Deno.readDir(path)) {
      await collect(join(path, name), contents);
    }
  }
  if (!isFile) return;
  // Some systems have no inode numbers.
  const key = ino === null ? path : `${dev} ${ino}`;
  const content = contents.get(key) ?? {
    // An unfinished file may have holes.
    bytes: blocks === null ? size : 512 * blocks,
    names: nlink ?? 1,
    going: new Set(),
  };
  content.going.add(path);
  contents.set(key, content);
}
