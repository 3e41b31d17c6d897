/**
 * The body, form or query of `POST /v1/tokenize`.
 *
 * One of `image`, `frames`, `text`, `prompt` and `question` is encoded to codes
 * or tokens; each has options of its own.
 *
 * @module
 */

import * as v from "valibot";
import { MAX_TOKENIZED_TEXT } from "../http/body_limits.ts";
import { boundedList } from "./bounded_list.ts";
import {
  DecodeMode,
  FramesPerCode,
  Grid,
  ModelName,
  MOST_FRAMES,
  Picture,
  Text,
} from "./common.ts";
import { MAX_PICTURES, Template, VideoFrames } from "./caption.ts";
import { PictureOrVideo, SamplingRate, VideoEnd, VideoStart } from "./video.ts";
import { GenerateRequest } from "./generate.ts";

/** The schema of an input to encode. */
export const TokenizeRequest = v.strictObject({
  image: v.optional(PictureOrVideo),
  images: v.optional(
    boundedList(Picture, { min: 1, max: MAX_PICTURES }),
  ),
  frames: v.optional(
    boundedList(Picture, { min: 1, max: MOST_FRAMES }),
  ),
  grid: v.optional(Grid),
  grids: v.optional(
    boundedList(Grid, { min: 1, max: MAX_PICTURES }),
  ),
  text: v.optional(v.pipe(v.string(), v.maxLength(MAX_TOKENIZED_TEXT))),
  special: v.optional(
    v.pipe(
      v.boolean(),
      v.description("Encode the text of special tokens as these tokens."),
    ),
  ),
  prompt: v.optional(
    v.pipe(
      GenerateRequest,
      v.description("Body of /v1/generate, to encode as input tokens."),
    ),
  ),
  question: v.optional(
    v.pipe(
      Text,
      v.description(
        "Question to encode as input tokens, with an image or a grid.",
      ),
    ),
  ),
  template: v.optional(Template),
  resize: v.optional(
    v.pipe(
      v.picklist(["smart", "none"]),
      v.description("none requires sides that are multiples of a code's size."),
    ),
  ),
  decode: v.optional(DecodeMode),
  pad: v.optional(
    v.pipe(
      v.picklist(["repeat"]),
      v.description(
        "Repeat the last frame to complete the last group of frames. Without it, the last frames of a video that complete no group are left out.",
      ),
    ),
  ),
  "frames_per_code": v.optional(FramesPerCode),
  fps: v.optional(SamplingRate),
  start: v.optional(VideoStart),
  end: v.optional(VideoEnd),
  "video_frames": v.optional(VideoFrames),
  model: v.optional(ModelName),
});
/** A request to encode an input to codes or tokens. */
export type TokenizeRequest = v.InferOutput<typeof TokenizeRequest>;
