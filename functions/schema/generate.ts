/**
 * The body of `POST /v1/generate`.
 *
 * Optional fields without a default here take that of the checkpoint or the
 * server.
 *
 * @module
 */

import * as v from "valibot";
import { STRATEGY_NAMES } from "../../lib/drawing/strategy.ts";
import { boundedList } from "./bounded_list.ts";
import {
  AdapterName,
  Clip,
  FramesPerSecond,
  Grid,
  KeptGrid,
  ModelName,
  MOST_FRAMES,
  Picture,
  Seed,
  Temperature,
  Text,
  TopK,
  TopP,
} from "./common.ts";

/** The schema of a side in pixels; the context sets a much lower limit. */
const PixelSide = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(8192),
);

/** The schema of a generation. */
export const GenerateRequest = v.strictObject({
  prompt: v.pipe(Text, v.description("Prompt, used verbatim.")),
  "negative_prompt": v.optional(
    v.pipe(Text, v.description("Prompt of the unconditional branch.")),
  ),
  ratio: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(32),
      v.description(
        'Aspect ratio, width to height, such as "16:9". "1:1" by default.',
      ),
    ),
  ),
  "image_area": v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(8192 * 8192),
      v.description("Approximate number of pixels of the image."),
    ),
  ),
  height: v.optional(
    v.pipe(
      PixelSide,
      v.description(
        "Height in pixels; with width, replaces ratio and image_area.",
      ),
    ),
  ),
  width: v.optional(v.pipe(PixelSide, v.description("Width in pixels."))),
  frames: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(MOST_FRAMES),
      v.description(
        "Frames of pixels of a clip, given ones included; 1 is an image. Only models with the capability clips draw more.",
      ),
    ),
  ),
  fps: v.optional(FramesPerSecond),
  clip: v.optional(
    v.pipe(
      Clip,
      v.description("First frames of the clip, as codes; more are generated."),
    ),
  ),
  context: v.optional(
    v.pipe(
      boundedList(Picture, { min: 1, max: MOST_FRAMES }),
      v.description(
        "First frames of the clip, as images, or as one animation or video; more are generated.",
      ),
    ),
  ),
  "context_frames": v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(MOST_FRAMES),
      v.description("Keep only this number of last frames of the context."),
    ),
  ),
  "guidance_scale": v.optional(
    v.pipe(
      v.number(),
      v.minValue(1),
      v.maxValue(100),
      v.description("Scale of classifier-free guidance; 1 disables guidance."),
    ),
  ),
  temperature: v.optional(Temperature),
  "top_k": v.optional(TopK),
  "top_p": v.optional(TopP),
  seed: v.optional(Seed),
  n: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(8),
      v.description("Number of images."),
    ),
    1,
  ),
  prefix: v.optional(
    v.pipe(
      Grid,
      v.description(
        "First rows of the image, which are kept; at least one row remains to be generated.",
      ),
    ),
  ),
  keep: v.optional(KeptGrid),
  strategy: v.optional(
    v.pipe(
      v.picklist(STRATEGY_NAMES),
      v.description(
        "Decoding strategy. jacobi is lossless, zipar is not.",
      ),
    ),
  ),
  logprobs: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(8),
      v.description("Number of most likely codes to return per position."),
    ),
    0,
  ),
  preview: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        "Include the partial image in row events: at most 32 per image, at least 200 ms apart, and using at most a tenth of the time.",
      ),
    ),
    false,
  ),
  "output_format": v.optional(
    v.pipe(
      v.picklist(["png", "jpeg", "webp", "apng", "gif", "mp4", "zip"]),
      v.description(
        "Format in JSON and events: png, jpeg or webp of an image, PNG by default; apng, gif, mp4 or zip of a clip, APNG by default. The Accept header requests a file. WebP is lossless; MP4 needs ffmpeg on the server.",
      ),
    ),
  ),
  metadata: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        "Embed the prompt, the seed, the settings and an AI-generated mark in the file.",
      ),
    ),
    true,
  ),
  model: v.optional(ModelName),
  adapter: v.optional(AdapterName),
});
/** A request to generate pictures. */
export type GenerateRequest = v.InferOutput<typeof GenerateRequest>;
