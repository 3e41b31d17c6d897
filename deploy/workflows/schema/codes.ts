/**
 * The schemas that several chains share: codes of a picture, and the options of
 * a generation.
 *
 * The server checks the values; here their types are checked.
 *
 * @module
 */

import * as v from "valibot";

/** The schema of text for a model. */
export const Text = v.pipe(v.string(), v.maxLength(32_768));

/** The schema of a picture's codes, as all endpoints take and return them. */
export const Grid = v.pipe(
  v.object({
    height: v.optional(v.number()),
    width: v.optional(v.number()),
    codes: v.array(v.array(v.number())),
  }),
  v.description("Rows of codes."),
);
/** The codes of a picture. */
export type Grid = v.InferOutput<typeof Grid>;

/** The schema of a seed. */
export const Seed = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(Number.MAX_SAFE_INTEGER),
  v.description("Random seed; drawn once for the chain by default."),
);

/** The optional fields of a generation, which `POST /v1/generate` explains. */
export const GENERATION_ENTRIES = {
  "negative_prompt": v.optional(Text),
  ratio: v.optional(v.string()),
  "image_area": v.optional(v.number()),
  height: v.optional(v.number()),
  width: v.optional(v.number()),
  "guidance_scale": v.optional(v.number()),
  temperature: v.optional(v.number()),
  "top_k": v.optional(v.number()),
  "top_p": v.optional(v.number()),
  strategy: v.optional(v.string()),
  model: v.optional(v.string()),
  adapter: v.optional(v.string()),
};

const GenerationOptions = v.object(GENERATION_ENTRIES);
/** The optional fields of a generation. */
export type GenerationOptions = v.InferOutput<typeof GenerationOptions>;

/** Returns the fields of `input` that are options of a generation. */
export function generationOptions(input: GenerationOptions): GenerationOptions {
  return v.parse(GenerationOptions, input);
}

/** The entries of a drawn picture. */
export const DRAWN_ENTRIES = {
  seed: v.number(),
  grid: Grid,
};

/** The schema of a drawn picture. */
export const Drawn = v.object(DRAWN_ENTRIES);
/** A drawn picture: its codes, and the seed that they were sampled with. */
export type Drawn = v.InferOutput<typeof Drawn>;
