/**
 * The tiny checkpoint with changed settings.
 *
 * @module
 */

import { goldenPath } from "./golden.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/**
 * Makes a folder of the tiny checkpoint whose `generation_config.json` has
 * `settings`, with its vision tokenizer beside it.
 */
export function settledModel(
  folder: TemporaryFolder,
  settings: Record<string, unknown>,
): string {
  for (const name of ["emu3-tiny", "emu3-tiny-visiontokenizer"]) {
    const source = goldenPath(`checkpoints/${name}`);
    for (const { name: file } of Deno.readDirSync(source)) {
      if (file === "generation_config.json") continue;
      folder.link(`${name}/${file}`, `${source}/${file}`);
    }
  }
  folder.write(
    "emu3-tiny/generation_config.json",
    JSON.stringify(settings),
  );
  return `${folder.path}/emu3-tiny`;
}
