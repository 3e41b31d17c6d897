/**
 * The answers of edits and variations in OpenAI's format, with the method of
 * each.
 *
 * @module
 */

import * as v from "valibot";
import { Count } from "./answers.ts";
import { IMAGE_EVENTS, ImagesAnswer } from "./openai.ts";

/** The answer of an edit: a picture whose masked part was drawn anew. */
export const EditAnswer = v.pipe(
  v.strictObject({
    ...ImagesAnswer.entries,
    edit: v.pipe(
      v.strictObject({
        how: v.literal("inpainted"),
        "kept_codes": Count,
        "drawn_codes": Count,
      }),
      v.description("How it was made. Ours."),
    ),
  }),
  v.metadata({ ref: "EditAnswer" }),
);

/** The answer of a variation: pictures like another. */
export const VariationAnswer = v.pipe(
  v.strictObject({
    ...ImagesAnswer.entries,
    variation: v.pipe(
      v.strictObject({
        how: v.pipe(
          v.picklist(["described", "prompted", "continued"]),
          v.description(
            "described: a model said what the picture shows. prompted: the request did. continued: nobody did, rows were kept.",
          ),
        ),
        prompt: v.pipe(v.string(), v.description("What was drawn.")),
        "kept_rows": Count,
      }),
      v.description("How it was made. Ours."),
    ),
  }),
  v.metadata({ ref: "VariationAnswer" }),
);

const {
  "image_generation.partial_image": partial,
  "image_generation.completed": completed,
} = IMAGE_EVENTS;

/** The event data of an edit by event name. */
export const EDIT_EVENTS = {
  "image_edit.partial_image": v.strictObject({
    ...partial.entries,
    type: v.literal("image_edit.partial_image"),
  }),
  "image_edit.completed": v.strictObject({
    ...completed.entries,
    type: v.literal("image_edit.completed"),
  }),
};
