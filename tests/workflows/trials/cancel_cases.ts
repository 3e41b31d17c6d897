/**
 * The chains of the laws of cancellation: large pictures, which are canceled
 * long before their end.
 *
 * @module
 */

import type { ChainCase } from "./kill_trial.ts";

/** A chain that is canceled while it draws. */
export interface CancelCase extends ChainCase {
  /** Jobs that it runs at once. */
  readonly jobs: number;
}

const LARGE = { seed: 1, height: 320, width: 320 };

const GRID = { codes: Array.from({ length: 8 }, () => Array(8).fill(7)) };

/** One case for each chain; the last one has children. */
export const CANCEL_CASES: readonly CancelCase[] = [
  { chain: "imagine", input: { prompt: "a red car", ...LARGE }, jobs: 1 },
  { chain: "draw", input: { prompt: "a red car", ...LARGE }, jobs: 1 },
  {
    chain: "refine",
    input: {
      prompt: "a red car",
      questions: [{ question: "What is it?", expect: ["car"] }],
      ...LARGE,
    },
    jobs: 1,
  },
  { chain: "remix", input: { grid: GRID, ...LARGE }, jobs: 1 },
  {
    chain: "album",
    input: { prompts: ["a cat", "a dog", "a car"], concurrency: 2, ...LARGE },
    jobs: 2,
  },
  { chain: "best_of", input: { prompt: "a red car", n: 2, ...LARGE }, jobs: 2 },
];
