/**
 * The chains of the trials of kills: small pictures, a second each.
 *
 * @module
 */

import type { ChainCase } from "./kill_trial.ts";

/** All chains of a trial; each is in flight at the same time. */
export const TRIAL_CASES: readonly ChainCase[] = [
  {
    chain: "imagine",
    input: { prompt: "three red apples", seed: 1, height: 64, width: 64 },
  },
  {
    chain: "imagine",
    input: { prompt: "a blue car", seed: 2, height: 96, width: 64 },
  },
];
