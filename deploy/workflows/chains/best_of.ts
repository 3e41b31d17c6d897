/**
 * The chain `best_of`: draws a prompt with several seeds, and ranks the pictures
 * by their captions or their scores.
 *
 * @module
 */

import type { ChainDefinition } from "../durable/chain.ts";
import {
  BestOfInput,
  BestOfOutput,
  type RankedPicture,
} from "../schema/best_of.ts";
import type { DrawOutput } from "../schema/draw.ts";
import { namedShare } from "./agreement.ts";

/** The chain `best_of`. */
export const bestOf: ChainDefinition<typeof BestOfInput, typeof BestOfOutput> =
  {
    name: "best_of",
    input: BestOfInput,
    output: BestOfOutput,
    run: async (steps, { prompt, n, rank, seed, ...options }) => {
      const first = steps.seed(seed);
      const caption = rank === "caption";
      const drawn = await steps.drawAll(
        Array.from({ length: n }, (_, index) => ({
          ...options,
          prompt,
          seed: first + index,
          score: true,
          caption,
        })),
      );
      const pictures = drawn.map((output) => rankedPicture(output, prompt));
      return { best: indexOfBest(pictures, rank), pictures };
    },
  };

/** Returns the index of the best picture; the first of equal ones. */
export function indexOfBest(
  pictures: readonly Pick<RankedPicture, "named" | "gain" | "logprob">[],
  rank: "caption" | "score",
): number {
  const order = pictures.map(({ named = 0, gain, logprob }, index) => ({
    index,
    measures: rank === "caption" ? [named, gain] : [logprob],
  }));
  order.sort((a, b) => {
    for (const [i, measure] of a.measures.entries()) {
      const [first, second] = [measure, b.measures[i] ?? null];
      if (first !== second) return (second ?? -Infinity) - (first ?? -Infinity);
    }
    return a.index - b.index;
  });
  return order[0]!.index;
}

function rankedPicture(
  { picture: { seed, grid }, score, caption }: DrawOutput,
  prompt: string,
): RankedPicture {
  return {
    seed,
    grid: grid!,
    ...score!,
    ...caption !== undefined &&
      { caption, named: namedShare(prompt, caption) },
  };
}
