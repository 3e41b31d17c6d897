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
import { PICTURE } from "./examples.ts";
import { form } from "./fields.ts";
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
  "Server-Timing": header("How long each part took.", "string", false),
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
  summary: "Draw the masked part of a picture anew",
  text:
    "Codes outside the mask stay as they are, those inside are drawn among them in raster order: each sees what is above it and to its left, not what is below. A code is 8 × 8 pixels and is drawn when any pixel of the mask in it is fully transparent. The picture is brought to the model's area first, and what stays is the vision tokenizer's rendering of it. Without a mask the picture's own transparency counts; a picture without any is refused, since Emu3 was not trained to edit. Unknown fields are ignored.",
  body: {
    ...json(v.pipe(EditRequest, v.metadata({ ref: "EditRequest" })), {
      examples: {
        mask: {
          summary: "A picture and a mask",
          value: {
            image: PICTURE,
            mask: MASK,
            prompt: "three apples",
            seed: 11,
          },
        },
        stream: {
          summary: "Events, one picture on the way",
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
      description: "Pictures",
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
  summary: "Draw pictures like another",
  text:
    "Emu3 was not trained to vary pictures. A model that answers is asked what the picture shows, and that is drawn with the seed; the answer tells it. With keep the first rows of the picture stay as well. Where no model answers (FUNCTIONS), a quarter of the rows stays and the rest is drawn without a prompt. Unknown fields are ignored.",
  body: {
    ...json(v.pipe(VariationRequest, v.metadata({ ref: "VariationRequest" })), {
      examples: {
        picture: { summary: "A picture", value: { image: PICTURE, seed: 11 } },
        keep: {
          summary: "Its upper half stays, and what to draw is said",
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
      description: "Pictures",
      content: json(VariationAnswer),
      headers: TIMING,
    },
  },
  problems: PROBLEMS,
}));
