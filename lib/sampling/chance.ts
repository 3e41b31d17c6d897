/**
 * Chance, as something that can be handed over: looked up by key when drawing,
 * enumerated when the law of what is drawn is to be proven.
 *
 * @module
 */

import { type DrawKey, uniformAt } from "./random.ts";
import { type Distribution, draw } from "./sampler.ts";

/** What decides one draw. */
export interface Chance {
  /** True with `probability`. */
  accept(probability: number): boolean;
  /** A token of `distribution`. */
  pick(distribution: Distribution): number;
}

/**
 * What decides a draw of a position. A position that is drawn several times has
 * independent chances at each attempt, counted from 0.
 */
export type ChanceAt = (position: number, attempt: number) => Chance;

/** Random numbers of a stream, the same whatever else is drawn. */
export function keyedChance(key: DrawKey): ChanceAt {
  return (position, attempt) => ({
    accept: (probability) =>
      uniformAt(key, position, 2 * attempt + 1) < probability,
    pick: (distribution) =>
      draw(distribution, uniformAt(key, position, 2 * attempt)),
  });
}
