/**
 * The settings of a run that the data and the model decide.
 *
 * @module
 */

import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import type { PreparedSet } from "../../lib/tuning/records.ts";
import type { TuningSettings } from "../../lib/tuning/settings.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";
import type { TuneArguments } from "./arguments.ts";

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
