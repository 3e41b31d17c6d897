/**
 * The resident memory of a server.
 *
 * @module
 */

import type { Server } from "../support/server.ts";

/** Returns Linux's resident set size, in MiB. */
export async function residentMebibytes({ process }: Server): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${process.pid}/status`);
  return Number(status.match(/^VmRSS:\s+(\d+)/m)![1]) / 1024;
}
