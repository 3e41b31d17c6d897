/**
 * The chance of a draw as a value: looked up by key when drawing, enumerated
 * when a distribution is to be proven.
 *
 * @module
 */

import { type DrawKey, uniformAt } from "./random.ts";
import { type Distribution, draw } from "./sampler.ts";

/** Decides one draw. */
export interface Chance {
  /** Returns true with `probability`. */
  accept(probability: number): boolean;
  /** Returns a token of `distribution`. */
  pick(distribution: Distribution): number;
}

/**
 * A function that returns the chance of a draw at a position. A position that
 * is drawn several times has independent chances at each attempt, counted from
 * 0.
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
