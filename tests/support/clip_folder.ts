/**
 * The tiny checkpoint with a form of clips.
 *
 * @module
 */

import { changedFolder } from "./changed_folder.ts";
import { goldenJson, goldenPath } from "./golden.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** The name of the checkpoint. */
export const CLIP_NAME = "tiny-clips";

/**
 * Makes the tiny checkpoint with these settings of clips in its
 * `generation_config.json`; it is in the folder {@linkcode CLIP_NAME} there.
 */
export function clipFolder(
  settings: Readonly<Record<string, unknown>> = {},
): TemporaryFolder & { readonly model: string } {
  const source = "checkpoints/emu3-tiny";
  const config = goldenJson<object>(`${source}/generation_config.json`);
  const json = JSON.stringify({
    ...config,
    "video_format": "frames",
    "video_frames": 4,
    "video_max_frames": 24,
    "video_fps": 5,
    ...settings,
  });
  const changes = { "generation_config.json": json };
  const folder = changedFolder(goldenPath(source), changes, CLIP_NAME);
  return Object.assign(folder, { model: `${folder.path}/${CLIP_NAME}` });
}
