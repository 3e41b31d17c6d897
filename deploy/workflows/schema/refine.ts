/**
 * The input and output of the chain `refine`.
 *
 * @module
 */

import * as v from "valibot";
import { Drawn, GENERATION_ENTRIES, Seed, Text } from "./codes.ts";

/** The most questions about a picture. */
const MAX_QUESTIONS = 8;

/** The most accepted answers of a question. */
const MAX_ANSWERS = 32;

/** The most pictures that are drawn. */
const MAX_ROUNDS = 8;

/** The schema of a question that the picture has to satisfy. */
export const Requirement = v.strictObject({
  question: Text,
  expect: v.pipe(
    v.array(v.pipe(Text, v.minLength(1))),
    v.minLength(1),
    v.maxLength(MAX_ANSWERS),
    v.description(
      "Accepted answers. An answer that has the words of one of them is accepted.",
    ),
  ),
  amend: v.optional(
    v.pipe(
      Text,
      v.description(
        "Text that the prompt gets if the answer is not accepted; the first accepted answer by default.",
      ),
    ),
  ),
});
/** A question that the picture has to satisfy. */
export type Requirement = v.InferOutput<typeof Requirement>;

/** The schema of a round: a picture, and its answers. */
export const Round = v.object({
  prompt: v.string(),
  seed: v.number(),
  kept: v.pipe(
    v.number(),
    v.description("Rows that were kept of the picture before it."),
  ),
  answers: v.array(
    v.object({
      question: v.string(),
      answer: v.string(),
      accepted: v.boolean(),
    }),
  ),
});
/** A round of the chain `refine`. */
export type Round = v.InferOutput<typeof Round>;

/** The schema of the input. */
export const RefineInput = v.strictObject({
  prompt: Text,
  questions: v.pipe(
    v.array(Requirement),
    v.minLength(1),
    v.maxLength(MAX_QUESTIONS),
  ),
  rounds: v.pipe(
    v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_ROUNDS)),
      3,
    ),
    v.description("The most pictures that are drawn."),
  ),
  seed: v.optional(
    v.pipe(
      Seed,
      v.description("Seed of the first round; each next one has one more."),
    ),
  ),
  ...GENERATION_ENTRIES,
});

/** The schema of the output. */
export const RefineOutput = v.object({
  picture: v.pipe(
    Drawn,
    v.description("Picture of the round with the most accepted answers."),
  ),
  satisfied: v.pipe(
    v.boolean(),
    v.description("true if all answers about the picture are accepted."),
  ),
  rounds: v.array(Round),
});
