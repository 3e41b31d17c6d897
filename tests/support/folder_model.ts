/**
 * The files of a folder in the form of a hub's or store's model.
 *
 * @module
 */

import { join } from "node:path";
import type { HubModel } from "./hub_server.ts";

/** Reads the files of `folder`, without subfolders. */
export async function filesOf(
  folder: string,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile) files.set(name, await Deno.readFile(join(folder, name)));
  }
  return files;
}

/** Reads the checkpoint in `folder` as a hub's model. */
export async function folderModel(folder: string): Promise<HubModel> {
  return { commit: "d".repeat(40), files: await filesOf(folder) };
}
