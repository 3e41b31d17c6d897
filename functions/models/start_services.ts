/**
 * The start of the models that an environment names, from the places where
 * checkpoints may lie.
 *
 * @module
 */

import { DiskError } from "../../deploy/cache/base/disk.ts";
import { foreseeVision } from "../../deploy/cache/preflight.ts";
import { placesFrom, SourceError } from "../../deploy/cache/locate.ts";
import { obtainForUse } from "../../deploy/cache/snapshots/in_use.ts";
import { Emu3Error } from "../../lib/errors.ts";
import type { Environment } from "../env.ts";
import type { WriteLine } from "../middleware/log_sink.ts";
import { INTERNET } from "../outbound/request.ts";
import type { Phase } from "./load_phases.ts";
import { Services } from "./services.ts";

/** Options of a start, beside the environment. */
export interface StartOutput {
  /** Called with each phase of loading. */
  readonly onPhase: (model: string, phase: Phase) => void;
  /** Called with each notice for people. */
  readonly complain: WriteLine;
}

/** Starts the models of `environment`; see {@linkcode Services.loaded}. */
export function startServices(
  environment: Environment,
  { onPhase, complain }: StartOutput,
): Promise<Services> {
  const places = placesFrom();
  // Held as long as this process lives: nobody removes what it serves.
  const inUse: Disposable[] = [];
  return Services.start({
    ...environment,
    obtain: async (source, onProgress, signal, needsVision) => {
      const options = { places, onProgress, onNotice: complain, signal };
      const foreseen = needsVision && foreseeVision(source, options);
      const obtained = obtainForUse(source, options);
      const [model] = await Promise.all([obtained, foreseen]);
      inUse.push(model);
      return model.folder;
    },
    onPhase,
    pictureNetwork: environment.urlInputs ? INTERNET : undefined,
    warn: complain,
    ffmpeg: "ffmpeg",
  });
}

/** Returns whether the message of `error` says all there is to know. */
export function isExpected(error: unknown): error is Error {
  return error instanceof Emu3Error || error instanceof SourceError ||
    error instanceof DiskError || error instanceof RangeError;
}
