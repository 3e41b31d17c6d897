/**
 * The fingerprint of a folder: changes when its files do.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Returns a hash of the names, sizes and dates of the files in a folder, as web
 * servers tell versions of a file apart: weights are too large to be read for
 * it.
 */
export async function folderFingerprint(folder: string): Promise<string> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    // Links are followed, as the readers of the files follow them.
    const { isFile, size, mtime } = await Deno.stat(`${folder}/${name}`)
      .catch(() => NOWHERE);
    if (isFile) lines.push(`${name} ${size} ${mtime?.getTime()}`);
  }
  const hash = createHash("sha256").update(lines.sort().join("\n"));
  return hash.digest("hex");
}

/** The status of a link without a target. */
const NOWHERE = { isFile: false, size: 0, mtime: null };
