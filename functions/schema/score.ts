/**
 * The body, form or query of `POST /v1/score`.
 *
 * `prompt` requests the likelihood of a picture, `text` that of an answer; each
 * has options of its own.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList } from "./bounded_list.ts";
import { MAX_PICTURES, Template } from "./caption.ts";
import {
  AdapterName,
  Clip,
  DecodeMode,
  FramesPerSecond,
  Grid,
  ModelName,
  MOST_FRAMES,
  Picture,
  Text,
} from "./common.ts";

/** The schema of a picture or an answer to score. */
export const ScoreRequest = v.strictObject({
  image: v.optional(Picture),
  images: v.optional(
    boundedList(Picture, { min: 1, max: MAX_PICTURES }),
  ),
  grid: v.optional(Grid),
  grids: v.optional(
    boundedList(Grid, { min: 1, max: MAX_PICTURES }),
  ),
  clip: v.optional(Clip),
  frames: v.optional(
    v.pipe(
      boundedList(Picture, { min: 1, max: MOST_FRAMES }),
      v.description("Frames of a clip, as images or as one animation."),
    ),
  ),
  fps: v.optional(FramesPerSecond),
  prompt: v.optional(
    v.pipe(Text, v.description("Prompt to score the image or clip by.")),
  ),
  "negative_prompt": v.optional(
    v.pipe(Text, v.description("Prompt of the unconditional branch.")),
  ),
  "guidance_scale": v.optional(
    v.pipe(
      v.number(),
      v.minValue(1),
      v.maxValue(100),
      v.description(
        "Scale of classifier-free guidance; 1 by default, which disables guidance.",
      ),
    ),
  ),
  rows: v.optional(
    v.pipe(
      v.boolean(),
      v.description("Return the log-likelihood of each row of codes."),
    ),
  ),
  logprobs: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(8),
      v.description(
        "Return log probabilities of each code, with this number of most likely codes.",
      ),
    ),
  ),
  question: v.optional(
    v.pipe(
      Text,
      v.description('Question, "Please describe the image" by default.'),
    ),
  ),
  text: v.optional(
    v.pipe(
      Text,
      v.description(
        "Answer to score. With the template chat, a leading space is added if missing, as models generate it.",
      ),
    ),
  ),
  template: v.optional(Template),
  decode: v.optional(DecodeMode, "display"),
  model: v.optional(ModelName),
  adapter: v.optional(AdapterName),
});
/** A request to score a picture or an answer. */
export type ScoreRequest = v.InferOutput<typeof ScoreRequest>;
