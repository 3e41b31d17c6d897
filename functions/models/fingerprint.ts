/**
 * What tells the files of a folder from those that another time are there.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Names, sizes and dates of the files in a folder, as web servers tell versions
 * of a file apart: weights are too large to be read for it.
 */
export async function folderFingerprint(folder: string): Promise<string> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    // Links are followed, as those who read the files do.
    const { isFile, size, mtime } = await Deno.stat(`${folder}/${name}`)
      .catch(() => NOWHERE);
    if (isFile) lines.push(`${name} ${size} ${mtime?.getTime()}`);
  }
  const hash = createHash("sha256").update(lines.sort().join("\n"));
  return hash.digest("hex");
}

/** A link that leads nowhere. */
const NOWHERE = { isFile: false, size: 0, mtime: null };
