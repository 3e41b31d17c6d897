/**
 * The tiny checkpoint with a form of clips.
 *
 * @module
 */

import { changedFolder } from "./changed_folder.ts";
import { goldenJson, goldenPath } from "./golden.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/**
 * Makes the tiny checkpoint with these settings of clips in its
 * `generation_config.json`, `frames` by default.
 *
 * @param name Name of the model, and of its folder in the temporary one.
 */
export function clipFolder(
  name: string,
  settings: Readonly<Record<string, unknown>> = {},
): TemporaryFolder & { readonly model: string } {
  const source = "checkpoints/emu3-tiny";
  const config = goldenJson<object>(`${source}/generation_config.json`);
  const changed = { ...config, "video_format": "frames", ...settings };
  const changes = { "generation_config.json": JSON.stringify(changed) };
  const folder = changedFolder(goldenPath(source), changes, name);
  return { ...folder, model: `${folder.path}/${name}` };
}
