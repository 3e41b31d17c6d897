/**
 * The checkpoint of a folder in a store, with its manifest.
 *
 * @module
 */

import { manifestText } from "../../deploy/cache/manifest/manifest.ts";
import { makeManifest } from "../../deploy/publish/make_manifest.ts";
import { publishedFiles } from "../../deploy/publish/published_files.ts";
import { NEVER } from "./publish_tree.ts";
import type { StoreServer } from "./stored_object.ts";

/** Stores the checkpoint in `folder` under `prefix`, which ends with `/`. */
export async function putModel(
  store: StoreServer,
  prefix: string,
  folder: string,
): Promise<void> {
  const files = await publishedFiles(folder);
  for (const { path, from } of files) {
    store.store(`${prefix}${path}`, await Deno.readFile(from));
  }
  const manifest = await makeManifest(folder, files, {
    createdBy: "a test",
    threads: 1,
    onBytes: () => {},
    signal: NEVER,
  });
  store.store(`${prefix}manifest.json`, manifestText(manifest));
}
