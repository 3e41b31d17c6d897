/**
 * The source of random choices: looked up by key in drawings, enumerated in
 * tests of distributions.
 *
 * @module
 */

import { type DrawKey, uniformAt } from "./random.ts";
import { type Distribution, draw } from "./sampler.ts";

/** Makes the random choices of one draw. */
export interface Chance {
  /** Returns true with `probability`. */
  accept(probability: number): boolean;
  /** Returns a token of `distribution`. */
  pick(distribution: Distribution): number;
}

/**
 * A function that returns the random choices of a draw at a position. Attempts
 * at the same position, counted from 0, are independent.
 */
export type ChanceAt = (position: number, attempt: number) => Chance;

/** Returns random numbers of a stream, independent of all other draws. */
export function keyedChance(key: DrawKey): ChanceAt {
  return (position, attempt) => ({
    accept: (probability) =>
      uniformAt(key, position, 2 * attempt + 1) < probability,
    pick: (distribution) =>
      draw(distribution, uniformAt(key, position, 2 * attempt)),
  });
}
