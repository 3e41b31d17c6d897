/**
 * The tiny checkpoints as a server whose only model draws clips.
 *
 * @module
 */

import type { AppOptions } from "../../functions/app.ts";
import type { JobsOptions } from "../../functions/jobs/jobs.ts";
import type { ServiceOptions } from "../../functions/models/service_options.ts";
import { clipFolder } from "./clip_folder.ts";
import { goldenPath } from "./golden.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";
import { listenTiny, type TinyHttp } from "./tiny_http.ts";
import { openTinyServer, type TinyServer } from "./tiny_server.ts";

/** A small clip of 4 stills of 2 × 3 codes, as fields of `generate`. */
export const SMALL_CLIP = {
  prompt: "a fox",
  height: 16,
  width: 24,
  frames: 4,
  seed: 5,
};

/** Opens the tiny checkpoints with settings of clips, `frames` by default. */
export async function openClipServer(
  settings: Readonly<Record<string, unknown>> = {},
  services: Partial<ServiceOptions> = {},
  app: Partial<AppOptions> = {},
  more: Partial<JobsOptions> = {},
): Promise<TinyServer> {
  const { folder, folders } = clipFolders(settings);
  const server = await openTinyServer({ folders, ...services }, app, more);
  return { ...server, [Symbol.asyncDispose]: closing(server, folder) };
}

/** Serves the same on a free port. */
export async function listenClips(
  settings: Readonly<Record<string, unknown>> = {},
  services: Partial<ServiceOptions> = {},
  app: Partial<AppOptions> = {},
): Promise<TinyHttp> {
  const { folder, folders } = clipFolders(settings);
  const server = await listenTiny({ folders, ...services }, app);
  return { ...server, [Symbol.asyncDispose]: closing(server, folder) };
}

function clipFolders(settings: Readonly<Record<string, unknown>>) {
  const folder = clipFolder("emu3-tiny", settings);
  const vision = goldenPath("checkpoints/emu3-tiny-visiontokenizer");
  const { model } = folder;
  return { folder, folders: { gen: model, chat: model, vision } };
}

function closing(server: AsyncDisposable, folder: TemporaryFolder) {
  return async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  };
}
