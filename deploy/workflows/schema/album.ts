/**
 * The input and output of the chain `album`.
 *
 * @module
 */

import * as v from "valibot";
import { GENERATION_ENTRIES, Seed } from "./codes.ts";

/** The most prompts of an album. */
const MAX_PROMPTS = 1000;

/** The most pictures of an album that are drawn at once. */
const MAX_CONCURRENCY = 32;

/** The schema of a prompt of an album: an input holds many. */
const AlbumPrompt = v.pipe(v.string(), v.maxLength(4096));

/** The schema of a prompt with options of its own. */
const AlbumItem = v.strictObject({
  prompt: AlbumPrompt,
  seed: v.optional(Seed),
  ...GENERATION_ENTRIES,
});

/** The schema of a picture of an album, or of its problem. */
export const AlbumPicture = v.object({
  prompt: v.string(),
  seed: v.optional(v.number()),
  grid: v.optional(
    v.pipe(v.string(), v.description("Name of the picture's codes.")),
  ),
  caption: v.optional(v.string()),
  problem: v.optional(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.description("Problem document, if there is no picture."),
    ),
  ),
});
/** A picture of an album, or its problem. */
export type AlbumPicture = v.InferOutput<typeof AlbumPicture>;

/** The schema of the input. */
export const AlbumInput = v.strictObject({
  prompts: v.pipe(
    v.array(v.union([AlbumPrompt, AlbumItem])),
    v.minLength(1),
    v.maxLength(MAX_PROMPTS),
    v.description(
      "Prompts, as text or with options that replace those of the album.",
    ),
  ),
  concurrency: v.pipe(
    v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(MAX_CONCURRENCY),
      ),
      4,
    ),
    v.description("The most pictures that are drawn at once."),
  ),
  caption: v.pipe(
    v.optional(v.boolean(), false),
    v.description("true to caption the pictures."),
  ),
  seed: v.optional(
    v.pipe(
      Seed,
      v.description("Seed of the first picture; each next one has one more."),
    ),
  ),
  ...GENERATION_ENTRIES,
});

/** The schema of the output. */
export const AlbumOutput = v.object({
  pictures: v.pipe(
    v.array(AlbumPicture),
    v.description("Pictures in the order of the prompts."),
  ),
  done: v.number(),
  failed: v.number(),
});
