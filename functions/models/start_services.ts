/**
 * The start of the models that an environment names, from local or remote
 * checkpoints.
 *
 * @module
 */

import { DiskError } from "../../deploy/cache/base/disk.ts";
import { preflightVision } from "../../deploy/cache/preflight.ts";
import { placesFrom, SourceError } from "../../deploy/cache/locate.ts";
import { obtainForUse } from "../../deploy/cache/snapshots/in_use.ts";
import { Emu3Error } from "../../lib/errors.ts";
import type { Environment } from "../env.ts";
import type { WriteLine } from "../middleware/log_sink.ts";
import { INTERNET } from "../outbound/request.ts";
import type { Phase } from "./load_phases.ts";
import { Services } from "./services.ts";

/** Callbacks of a start. */
export interface StartOutput {
  /** Called with each phase of loading. */
  readonly onPhase: (model: string, phase: Phase) => void;
  /** Called with each notice for display. */
  readonly complain: WriteLine;
}

/** Starts the models of `environment`; see {@linkcode Services.loaded}. */
export function startServices(
  environment: Environment,
  { onPhase, complain }: StartOutput,
): Promise<Services> {
  const places = placesFrom();
  // Kept for the life of this process, so that no cleanup removes served files.
  const inUse: Disposable[] = [];
  return Services.start({
    ...environment,
    obtain: async (source, onProgress, signal, needsVision) => {
      const options = { places, onProgress, onNotice: complain, signal };
      const preflight = needsVision && preflightVision(source, options);
      const obtained = obtainForUse(source, options);
      const [model] = await Promise.all([obtained, preflight]);
      inUse.push(model);
      return model.folder;
    },
    onPhase,
    pictureNetwork: environment.urlInputs ? INTERNET : undefined,
    warn: complain,
    ffmpeg: "ffmpeg",
  });
}

/** Returns true if the message of `error` needs no stack trace. */
export function isExpected(error: unknown): error is Error {
  return error instanceof Emu3Error || error instanceof SourceError ||
    error instanceof DiskError || error instanceof RangeError;
}
