/**
 * The answer of `score`.
 *
 * @module
 */

import * as v from "valibot";
import { Count, Logprobs, TimingsAnswer } from "./answers.ts";

/** The schema of the likelihood of a picture or an answer. */
export const ScoreAnswer = v.pipe(
  v.strictObject({
    model: v.string(),
    logprob: v.pipe(
      v.nullable(v.number()),
      v.description(
        "Natural logarithm of the likelihood of all of it. null means minus infinity.",
      ),
    ),
    tokens: v.pipe(
      Count,
      v.description("Codes that were judged, or tokens of the answer and EOS."),
    ),
    "logprob_per_token": v.pipe(
      v.nullable(v.number()),
      v.description("The mean."),
    ),
    rows: v.optional(
      v.pipe(
        v.array(v.nullable(v.number())),
        v.description("The sum of each row of codes, where asked for."),
      ),
    ),
    logprobs: v.optional(
      v.pipe(
        v.array(Logprobs),
        v.description("Of each code, row by row, where asked for."),
      ),
    ),
    usage: v.strictObject({
      "prompt_tokens": Count,
      "image_tokens": v.optional(Count),
      "completion_tokens": v.optional(Count),
      forwards: v.pipe(Count, v.description("Runs of the model.")),
    }),
    timings: TimingsAnswer,
  }),
  v.metadata({ ref: "ScoreAnswer" }),
);
