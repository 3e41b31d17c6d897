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
import {
  AdapterName,
  Grid,
  KeptGrid,
  ModelName,
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
  prompt: v.pipe(Text, v.description("Used verbatim.")),
  "negative_prompt": v.optional(
    v.pipe(Text, v.description("Prompt of the unconditional branch.")),
  ),
  ratio: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(32),
      v.description('Width to height, such as "16:9". "1:1" when left out.'),
    ),
  ),
  "image_area": v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(8192 * 8192),
      v.description("About how many pixels the picture has."),
    ),
  ),
  height: v.optional(
    v.pipe(
      PixelSide,
      v.description("In pixels, with width, instead of ratio and image_area."),
    ),
  ),
  width: v.optional(v.pipe(PixelSide, v.description("In pixels."))),
  "guidance_scale": v.optional(
    v.pipe(
      v.number(),
      v.minValue(1),
      v.maxValue(100),
      v.description("1 means no unconditional branch at all."),
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
      v.description("Pictures."),
    ),
    1,
  ),
  prefix: v.optional(
    v.pipe(Grid, v.description("Rows that are given, fewer than are asked.")),
  ),
  keep: v.optional(KeptGrid),
  strategy: v.optional(
    v.pipe(
      v.picklist(STRATEGY_NAMES),
      v.description(
        "Jacobi is lossless; zipar is not, and the answer says so.",
      ),
    ),
  ),
  logprobs: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(8),
      v.description("How many of the strongest codes to tell a position."),
    ),
    0,
  ),
  preview: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        "Row events carry the picture as far as it goes, 32 at most and as often as decoding takes a tenth of the time, 200 ms apart at least.",
      ),
    ),
    false,
  ),
  "output_format": v.optional(
    v.pipe(
      v.picklist(["png", "jpeg", "webp"]),
      v.description(
        "Of pictures in JSON and events, PNG when left out; Accept asks for a file alone. A WebP loses nothing.",
      ),
    ),
  ),
  metadata: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        "Write prompt, seed, settings and an AI-generated mark into the file.",
      ),
    ),
    true,
  ),
  model: v.optional(ModelName),
  adapter: v.optional(AdapterName),
});
/** A request to generate pictures. */
export type GenerateRequest = v.InferOutput<typeof GenerateRequest>;
