/**
 * The disk space of a store: the bytes that it could have.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { IN_MEMORY } from "./database.ts";

/** Returns the bytes of a store plus the free ones; infinite in memory. */
export function spaceFor(path: string): number {
  if (path === IN_MEMORY) return Infinity;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize + sizeOf(path) + sizeOf(`${path}-wal`);
  } catch {
    // Some systems do not report it; a write will fail instead.
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
