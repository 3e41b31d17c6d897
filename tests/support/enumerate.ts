/**
 * The enumeration of a random program's outcomes, with exact probabilities.
 *
 * @module
 */

import type { Chance } from "../../lib/sampling/chance.ts";

/** A random choice: its index, and the probabilities of all options. */
interface Turn {
  readonly probabilities: readonly number[];
  index: number;
}

/**
 * Runs `program` once for each sequence of random choices.
 *
 * @param program Returns its outcome; its only input is `chance`.
 * @returns Probabilities by outcome.
 */
export function distributionOfDraws(
  program: (chance: Chance) => string,
): Map<string, number> {
  const distribution = new Map<string, number>();
  const turns: Turn[] = [];
  do {
    let depth = 0;
    const take = (probabilities: readonly number[]): number => {
      if (depth === turns.length) {
        turns.push({ probabilities, index: possible(probabilities, 0) });
      }
      return turns[depth++]!.index;
    };
    const outcome = program({
      accept: (probability) => take([probability, 1 - probability]) === 0,
      pick: ({ tokens, probabilities }) => tokens[take([...probabilities])]!,
    });
    const probability = turns.reduce(
      (product, { probabilities, index }) => product * probabilities[index]!,
      1,
    );
    distribution.set(outcome, (distribution.get(outcome) ?? 0) + probability);
  } while (advance(turns));
  return distribution;
}

/** Returns the largest difference of two distributions at any outcome. */
export function distributionDifference(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): number {
  const outcomes = new Set([...a.keys(), ...b.keys()]);
  return Math.max(
    ...Array.from(
      outcomes,
      (outcome) => Math.abs((a.get(outcome) ?? 0) - (b.get(outcome) ?? 0)),
    ),
  );
}

/** Advances to the next sequence; false after the last one. */
function advance(turns: Turn[]): boolean {
  while (turns.length > 0) {
    const last = turns.at(-1)!;
    last.index = possible(last.probabilities, last.index + 1);
    if (last.index < last.probabilities.length) return true;
    turns.pop();
  }
  return false;
}

/** Returns the first option from `start` on with a nonzero probability. */
function possible(probabilities: readonly number[], start: number): number {
  const index = probabilities.findIndex((p, i) => i >= start && p > 0);
  return index === -1 ? probabilities.length : index;
}
