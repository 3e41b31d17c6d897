/**
 * The answer of `score`.
 *
 * @module
 */

import * as v from "valibot";
import { type AnswerOf, Count, Logprobs, TimingsAnswer } from "./answers.ts";

/** The schema of the likelihood of a picture, a clip or an answer. */
export const ScoreAnswer = v.pipe(
  v.strictObject({
    model: v.string(),
    logprob: v.pipe(
      v.nullable(v.number()),
      v.description(
        "Natural logarithm of the total likelihood. null means minus infinity.",
      ),
    ),
    tokens: v.pipe(
      Count,
      v.description(
        "Number of scored codes, or of tokens of the answer with EOS.",
      ),
    ),
    "logprob_per_token": v.pipe(
      v.nullable(v.number()),
      v.description("Mean log-likelihood per token."),
    ),
    rows: v.optional(
      v.pipe(
        v.array(v.nullable(v.number())),
        v.description(
          "Log-likelihood of each row of codes, if rows is set; of a clip, the rows of all frames in order.",
        ),
      ),
    ),
    frames: v.optional(
      v.pipe(
        v.array(v.nullable(v.number())),
        v.description("Log-likelihood of each frame of codes of a clip."),
      ),
    ),
    logprobs: v.optional(
      v.pipe(
        v.array(Logprobs),
        v.description(
          "Log probabilities of each code, row by row, if logprobs is set.",
        ),
      ),
    ),
    usage: v.strictObject({
      "prompt_tokens": Count,
      "image_tokens": v.optional(Count),
      "completion_tokens": v.optional(Count),
      forwards: v.pipe(Count, v.description("Number of forward passes.")),
    }),
    timings: TimingsAnswer,
  }),
  v.metadata({ ref: "ScoreAnswer" }),
);
/** The answer of `score`. */
export type ScoreAnswer = AnswerOf<typeof ScoreAnswer>;
