/**
 * The body, form or query of `POST /v1/caption`.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList } from "./bounded_list.ts";
import { PictureOrVideo, VideoEnd, VideoStart } from "./video.ts";
import {
  AdapterName,
  DecodeMode,
  Grid,
  ModelName,
  Picture,
  Seed,
  Temperature,
  Text,
  TopK,
  TopP,
} from "./common.ts";

/** The maximum number of pictures of a question. */
export const MAX_PICTURES = 8;

/** The default number of frames of a video. */
export const DEFAULT_VIDEO_FRAMES = 4;

/** The schema of the number of frames of a video. */
export const VideoFrames = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(MAX_PICTURES),
  v.description(
    `Number of evenly spaced frames to take from a video, ${DEFAULT_VIDEO_FRAMES} by default.`,
  ),
);

/** The default question. */
export const DEFAULT_QUESTION = "Please describe the image";

/** The schema of the template of a question. */
export const Template = v.pipe(
  v.picklist(["chat", "base"]),
  v.description("chat for instruction-tuned models, base for continuation."),
);

/** The schema of a question about pictures. */
export const CaptionRequest = v.strictObject({
  image: v.optional(PictureOrVideo),
  images: v.optional(
    boundedList(Picture, { min: 1, max: MAX_PICTURES }),
  ),
  grid: v.optional(Grid),
  grids: v.optional(
    boundedList(Grid, { min: 1, max: MAX_PICTURES }),
  ),
  question: v.optional(Text, DEFAULT_QUESTION),
  "max_tokens": v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(1_000_000),
      v.description("Maximum number of output tokens, limited by the context."),
    ),
    1024,
  ),
  temperature: v.optional(Temperature, 0),
  "top_k": v.optional(TopK),
  "top_p": v.optional(TopP),
  seed: v.optional(Seed),
  template: v.optional(Template),
  "video_frames": v.optional(VideoFrames),
  start: v.optional(VideoStart),
  end: v.optional(VideoEnd),
  decode: v.optional(DecodeMode, "display"),
  model: v.optional(ModelName),
  adapter: v.optional(AdapterName),
});
/** A question about pictures. */
export type CaptionRequest = v.InferOutput<typeof CaptionRequest>;
