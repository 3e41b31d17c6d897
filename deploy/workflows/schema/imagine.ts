/**
 * The input and output of the chain `imagine`.
 *
 * @module
 */

import * as v from "valibot";
import { Drawn, GENERATION_ENTRIES, Seed, Text } from "./codes.ts";

/** The schema of the agreement of a caption, and of a picture, with a prompt. */
export const Agreement = v.object({
  named: v.pipe(
    v.array(v.string()),
    v.description("Words of the prompt that the caption has as well."),
  ),
  missing: v.pipe(
    v.array(v.string()),
    v.description("Words of the prompt that the caption lacks."),
  ),
  logprob: v.pipe(
    v.nullable(v.number()),
    v.description(
      "Mean log-likelihood per code of the picture given the prompt.",
    ),
  ),
});
/** The agreement of a caption, and of a picture, with a prompt. */
export type Agreement = v.InferOutput<typeof Agreement>;

/** The schema of the input. */
export const ImagineInput = v.strictObject({
  prompt: Text,
  seed: v.optional(Seed),
  question: v.optional(
    v.pipe(Text, v.description("Question that asks for the caption.")),
  ),
  ...GENERATION_ENTRIES,
});

/** The schema of the output. */
export const ImagineOutput = v.object({
  picture: Drawn,
  caption: v.string(),
  agreement: Agreement,
});
