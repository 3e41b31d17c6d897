/**
 * The copy of a folder with some files changed or left out.
 *
 * @module
 */

import { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";

/**
 * Makes a folder that links to the files of `source`, except those in
 * `changes`.
 *
 * @param changes Content by name; undefined leaves the file out.
 * @param name Name of the folder, within a temporary one.
 */
export function changedFolder(
  source: string,
  changes: Readonly<Record<string, string | Uint8Array | undefined>>,
  name = ".",
): TemporaryFolder {
  const folder = temporaryFolder();
  for (const entry of Deno.readDirSync(source)) {
    if (entry.name in changes) continue;
    folder.link(`${name}/${entry.name}`, `${source}/${entry.name}`);
  }
  for (const [file, content] of Object.entries(changes)) {
    if (content !== undefined) folder.write(`${name}/${file}`, content);
  }
  return folder;
}
