/**
 * The input and output of the chain `best_of`.
 *
 * @module
 */

import * as v from "valibot";
import { DRAWN_ENTRIES, GENERATION_ENTRIES, Seed, Text } from "./codes.ts";
import { Score } from "./draw.ts";

/** The most pictures to choose from. */
const MAX_PICTURES = 16;

/** The schema of a ranked picture. */
export const RankedPicture = v.object({
  ...DRAWN_ENTRIES,
  ...Score.entries,
  caption: v.optional(v.string()),
  named: v.optional(
    v.pipe(
      v.number(),
      v.description("Share of the words of the prompt that the caption has."),
    ),
  ),
});
/** A ranked picture. */
export type RankedPicture = v.InferOutput<typeof RankedPicture>;

/** The schema of the input. */
export const BestOfInput = v.strictObject({
  prompt: Text,
  n: v.pipe(
    v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(MAX_PICTURES),
      ),
      4,
    ),
    v.description("Number of pictures to choose from."),
  ),
  rank: v.pipe(
    v.optional(v.picklist(["caption", "score"]), "caption"),
    v.description(
      "caption: by the words of the prompt that the picture's caption has, then by gain. score: by logprob.",
    ),
  ),
  seed: v.optional(
    v.pipe(
      Seed,
      v.description("Seed of the first picture; each next one has one more."),
    ),
  ),
  question: v.optional(
    v.pipe(Text, v.description("Question that asks for the caption.")),
  ),
  ...GENERATION_ENTRIES,
});

/** The schema of the output. */
export const BestOfOutput = v.object({
  best: v.pipe(v.number(), v.description("Index of the best picture.")),
  pictures: v.pipe(
    v.array(RankedPicture),
    v.description("All pictures, in the order of their seeds."),
  ),
});
