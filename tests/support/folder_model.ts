/**
 * A folder's files, as a hub or a store has them.
 *
 * @module
 */

import { join } from "node:path";
import type { HubModel } from "./hub_server.ts";

/** The files of `folder`, without those of folders in it. */
export async function filesOf(
  folder: string,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile) files.set(name, await Deno.readFile(join(folder, name)));
  }
  return files;
}

/** The checkpoint in `folder`, as a hub has it. */
export async function folderModel(folder: string): Promise<HubModel> {
  return { commit: "d".repeat(40), files: await filesOf(folder) };
}
