/**
 * The settings of a run that the data and the model decide.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { PreparedSet } from "../../lib/tuning/records.ts";
import type { TuningSettings } from "../../lib/tuning/settings.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";
import type { TuneArguments } from "./arguments.ts";
import { sampleBytes } from "./sample_pictures.ts";

/**
 * Returns the bytes that sample pictures take beside the run.
 *
 * @throws {TuningError} If the base has no floats that an adapter is added to.
 */
export function bytesOfSamples(
  { samples, settings }: TuneArguments,
  base: LanguageCheckpoint,
  runtime: Runtime,
): number {
  if (samples.length === 0) return 0;
  if (base.codeBits !== undefined && settings.method.kind === "lora") {
    throw new TuningError(
      `--sample needs weights that an adapter can be added to, the checkpoint has int${base.codeBits}: leave it out, and draw with a server that has the adapter`,
    );
  }
  return sampleBytes(base, runtime);
}

/**
 * Returns the settings with what the set and the model decide.
 *
 * @throws {TuningError} If the set is empty, or all of it is held out.
 */
export function completeSettings(
  { settings, heldOut, maxTokens }: TuneArguments,
  set: PreparedSet,
  base: LanguageCheckpoint,
): TuningSettings {
  const count = heldOut < 1 ? Math.floor(heldOut * set.length) : heldOut;
  if (set.length === 0) {
    throw new TuningError("the prepared set is empty: prepare some records");
  }
  if (!Number.isInteger(count) || count >= set.length) {
    throw new TuningError(
      `--held-out ${heldOut} leaves nothing of ${set.length} records: use fewer`,
    );
  }
  return {
    ...settings,
    heldOut: count,
    maxTokens: maxTokens ?? base.config.maxPositions,
  };
}
