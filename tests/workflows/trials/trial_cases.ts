/**
 * The chains of the trials of kills: small pictures, a second each.
 *
 * @module
 */

import type { ChainCase } from "./kill_trial.ts";

const SMALL = { height: 48, width: 48 };

const GRID = {
  codes: Array.from(
    { length: 6 },
    (_, y) => Array.from({ length: 6 }, (_, x) => 100 * y + x),
  ),
};

/** All chains of a trial, which are in flight at the same time. */
export const TRIAL_CASES: readonly ChainCase[] = [
  {
    chain: "imagine",
    input: { prompt: "a blue car", seed: 1, height: 64, width: 64 },
  },
  {
    chain: "best_of",
    input: { prompt: "three red apples", n: 2, seed: 2, ...SMALL },
  },
  {
    chain: "refine",
    input: {
      prompt: "a dog",
      questions: [{ question: "What is it?", expect: ["a dog that is green"] }],
      rounds: 2,
      seed: 3,
      ...SMALL,
    },
  },
  {
    chain: "remix",
    input: { grid: GRID, style: "at night", keep: 2, seed: 4, ...SMALL },
  },
  {
    chain: "album",
    input: { prompts: ["a cat", "a tree"], seed: 5, caption: true, ...SMALL },
  },
];
