/**
 * The tiny checkpoints as a server that draws clips: their generation config
 * names a form.
 *
 * @module
 */

import type { AppOptions } from "../../functions/app.ts";
import type { JobsOptions } from "../../functions/jobs/jobs.ts";
import type { ServiceOptions } from "../../functions/models/service_options.ts";
import { changedFolder } from "./changed_folder.ts";
import { goldenPath } from "./golden.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";
import { listenTiny, type TinyHttp } from "./tiny_http.ts";
import {
  openTinyServer,
  TINY_FOLDERS,
  type TinyServer,
} from "./tiny_server.ts";

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
  const source = TINY_FOLDERS.gen;
  const name = "generation_config.json";
  const config = JSON.parse(Deno.readTextFileSync(`${source}/${name}`));
  const changed = { ...config, "video_format": "frames", ...settings };
  const model = "emu3-tiny";
  const folder = changedFolder(
    source,
    { [name]: JSON.stringify(changed) },
    model,
  );
  const gen = `${folder.path}/${model}`;
  const vision = goldenPath("checkpoints/emu3-tiny-visiontokenizer");
  return { folder, folders: { gen, chat: gen, vision } };
}

function closing(server: AsyncDisposable, folder: TemporaryFolder) {
  return async () => {
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  };
}
