/**
 * The disk under a store: how many bytes the store could have there.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { IN_MEMORY } from "./database.ts";

/** Returns the bytes of a store and those that are free; infinite in memory. */
export function spaceFor(path: string): number {
  if (path === IN_MEMORY) return Infinity;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize + sizeOf(path) + sizeOf(`${path}-wal`);
  } catch {
    // A system that does not say; writing will tell.
    return Infinity;
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
