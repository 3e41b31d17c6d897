/**
 * The input and output of the chain `draw`, which other chains start as a child.
 *
 * @module
 */

import * as v from "valibot";
import { GENERATION_ENTRIES, Grid, Seed, Text } from "./codes.ts";

/** The schema of the score of a picture. */
export const Score = v.object({
  logprob: v.pipe(
    v.nullable(v.number()),
    v.description(
      "Mean log-likelihood per code of the picture given the prompt.",
    ),
  ),
  gain: v.pipe(
    v.nullable(v.number()),
    v.description(
      "logprob, less that given the negative prompt or no prompt: how much the prompt explains of the picture.",
    ),
  ),
});
/** The score of a picture. */
export type Score = v.InferOutput<typeof Score>;

/** The schema of a picture whose codes may be in the state of its chain. */
export const DrawnPicture = v.object({
  seed: v.number(),
  grid: v.optional(Grid),
});

/** The schema of the input. */
export const DrawInput = v.strictObject({
  prompt: Text,
  seed: v.optional(Seed),
  codes: v.pipe(
    v.optional(v.boolean(), true),
    v.description(
      "false to leave the codes out of the output; they stay in the state of the chain, as the codes named draw.",
    ),
  ),
  score: v.pipe(
    v.optional(v.boolean(), false),
    v.description("true to score the picture by the prompt."),
  ),
  caption: v.pipe(
    v.optional(v.boolean(), false),
    v.description("true to caption the picture."),
  ),
  question: v.optional(
    v.pipe(Text, v.description("Question that asks for the caption.")),
  ),
  ...GENERATION_ENTRIES,
});
/** The input of the chain `draw`. */
export type DrawInput = v.InferInput<typeof DrawInput>;

/** The schema of the output. */
export const DrawOutput = v.object({
  picture: DrawnPicture,
  score: v.optional(Score),
  caption: v.optional(v.string()),
});
/** The output of the chain `draw`. */
export type DrawOutput = v.InferOutput<typeof DrawOutput>;
