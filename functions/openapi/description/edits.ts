/**
 * The descriptions of `/v1/images/edits` and `/v1/images/variations`.
 *
 * @module
 */

import * as v from "valibot";
import {
  EditRequest,
  MASK_FILES,
} from "../../compat/openai/images/edit_request.ts";
import { SOURCE_FILES } from "../../compat/openai/images/source_picture.ts";
import { VariationRequest } from "../../compat/openai/images/variation_request.ts";
import { EditAnswer, VariationAnswer } from "../../schema/answers/edits.ts";
import {
  BODY_PROBLEMS,
  describe,
  header,
  json,
  MODEL_PROBLEMS,
  type RouteDescription,
} from "./describe.ts";
import { eventStream } from "./events.ts";
import { form, PICTURE } from "./fields.ts";
import { mayBeJob } from "./jobs.ts";

const PROBLEMS: RouteDescription["problems"] = [
  ...BODY_PROBLEMS,
  ...MODEL_PROBLEMS.filter((code) => code !== "not-acceptable"),
  "image-too-large",
  "unreadable-image",
  "image-size",
  "prompt-too-long",
  "cache-too-small",
];

const TIMING = {
  "Server-Timing": header("Duration of each phase.", "string", false),
};

/** The example mask: a PNG of 32 × 32 pixels, transparent at the lower right. */
const MASK =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAAMElEQVR42u3OsQkAAAzDsPz/dHtEh1CQwbuSZMoDAAAAAAAA/AecAwAAAAAAAKgCFuPo/R+J0D5qAAAAAElFTkSuQmCC";

/** Returns the names of form fields that are not files. */
function texts(entries: v.ObjectEntries): string[] {
  return Object.keys(entries)
    .filter((name) => !["image", "images", "mask"].includes(name));
}

/** The description of `/v1/images/edits`. */
export const editsDescription = describe(mayBeJob({
  id: "editImages",
  tag: "openai",
  summary: "Edit an image with a mask",
  text:
    "Regenerates the masked part of an image. Codes outside the mask are kept; those inside are generated in raster order, so that each depends on the codes above it and to its left, but not on those below. A code covers 8 × 8 pixels and is regenerated if any pixel of the mask in it is fully transparent. The image is first resized to the model's area, and kept parts are reconstructed by the vision tokenizer. Without a mask, the transparency of the image is used; an image without transparency is refused, since Emu3 was not trained to edit. Unknown fields are ignored.",
  body: {
    ...json(v.pipe(EditRequest, v.metadata({ ref: "EditRequest" })), {
      examples: {
        mask: {
          summary: "An image and a mask",
          value: {
            image: PICTURE,
            mask: MASK,
            prompt: "three apples",
            seed: 11,
          },
        },
        stream: {
          summary: "A stream with one partial image",
          value: {
            images: [{ "image_url": PICTURE }],
            mask: { "image_url": MASK },
            prompt: "three apples",
            stream: true,
            "partial_images": 1,
          },
        },
      },
    }),
    ...form(EditRequest.entries, texts(EditRequest.entries), {
      files: SOURCE_FILES,
      optional: MASK_FILES,
    }),
  },
  answers: {
    200: {
      description: "Images",
      content: { ...json(EditAnswer), ...eventStream("EditEvent") },
      headers: TIMING,
    },
  },
  problems: PROBLEMS,
}));

/** The description of `/v1/images/variations`. */
export const variationsDescription = describe(mayBeJob({
  id: "createImageVariations",
  tag: "openai",
  summary: "Create variations of an image",
  text:
    "Generates images from a description of the given image, since Emu3 was not trained to create variations. A model for answering describes the image, and the description is the prompt; the response contains it. With keep, the first rows of the image are kept as well. If no model answers (FUNCTIONS), a quarter of the rows is kept and the rest is generated without a prompt. Unknown fields are ignored.",
  body: {
    ...json(v.pipe(VariationRequest, v.metadata({ ref: "VariationRequest" })), {
      examples: {
        picture: { summary: "An image", value: { image: PICTURE, seed: 11 } },
        keep: {
          summary: "Keep the upper half, with a prompt",
          value: {
            image: PICTURE,
            prompt: "three apples",
            keep: 0.5,
            seed: 11,
          },
        },
      },
    }),
    ...form(VariationRequest.entries, texts(VariationRequest.entries), {
      files: SOURCE_FILES,
    }),
  },
  answers: {
    200: {
      description: "Images",
      content: json(VariationAnswer),
      headers: TIMING,
    },
  },
  problems: PROBLEMS,
}));
