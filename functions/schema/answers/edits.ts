/**
 * The answers of edits and variations in OpenAI's format, with the method of
 * each.
 *
 * @module
 */

import * as v from "valibot";
import { Count } from "./answers.ts";
import { IMAGE_EVENTS, ImagesAnswer } from "./openai.ts";

/** The answer of an edit: a picture with its masked part regenerated. */
export const EditAnswer = v.pipe(
  v.strictObject({
    ...ImagesAnswer.entries,
    edit: v.pipe(
      v.strictObject({
        how: v.literal("inpainted"),
        "kept_codes": Count,
        "drawn_codes": Count,
      }),
      v.description(
        "Method that made the images. Extension of the OpenAI API.",
      ),
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
            "described: the prompt is a description by a model. prompted: the prompt is that of the request. continued: without a prompt, from the kept rows.",
          ),
        ),
        prompt: v.pipe(
          v.string(),
          v.description("Prompt of the generated images."),
        ),
        "kept_rows": Count,
      }),
      v.description(
        "Method that made the images. Extension of the OpenAI API.",
      ),
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
