/**
 * The input and output of the chain `remix`.
 *
 * @module
 */

import * as v from "valibot";
import { Drawn, GENERATION_ENTRIES, Grid, Seed, Text } from "./codes.ts";

/** The schema of the input: a picture as codes or as a reference. */
export const RemixInput = v.strictObject({
  grid: v.optional(Grid),
  "image_url": v.optional(
    v.pipe(
      v.string(),
      v.maxLength(2048),
      v.regex(/^https:\/\//),
      v.description(
        "Address of the picture, instead of its codes; the server has to allow it (ALLOW_URL_INPUTS).",
      ),
    ),
  ),
  question: v.optional(
    v.pipe(Text, v.description("Question that asks for the caption.")),
  ),
  style: v.optional(
    v.pipe(Text, v.description("Text that follows the caption in the prompt.")),
  ),
  keep: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
    v.description(
      "Number of first rows of the picture that the new one keeps; its size is then that of the picture.",
    ),
  ),
  seed: v.optional(Seed),
  ...GENERATION_ENTRIES,
});

/** The schema of the output. */
export const RemixOutput = v.object({
  caption: v.string(),
  prompt: v.pipe(v.string(), v.description("Prompt of the new picture.")),
  picture: Drawn,
});
