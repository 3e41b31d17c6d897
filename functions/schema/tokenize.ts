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
import { MAX_PICTURES, Template } from "./caption.ts";
import { DecodeMode, Grid, ModelName, Picture, Text } from "./common.ts";
import { GenerateRequest } from "./generate.ts";

/** The maximum frames of pixels of a clip, whatever the server's settings. */
export const MOST_FRAMES = 4096;

/** The schema of an input to encode. */
export const TokenizeRequest = v.strictObject({
  image: v.optional(Picture),
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
      v.description("Text that spells a special token becomes that token."),
    ),
  ),
  prompt: v.optional(
    v.pipe(
      GenerateRequest,
      v.description("A body of /v1/generate: the tokens it would be fed."),
    ),
  ),
  question: v.optional(
    v.pipe(
      Text,
      v.description("With a picture or grid: the tokens it would be fed."),
    ),
  ),
  template: v.optional(Template),
  resize: v.optional(
    v.pipe(
      v.picklist(["smart", "none"]),
      v.description("none: sides must be whole in codes already."),
    ),
  ),
  decode: v.optional(DecodeMode),
  pad: v.optional(
    v.pipe(
      v.picklist(["repeat"]),
      v.description("Repeat the last frame until a clip's frames come out."),
    ),
  ),
  model: v.optional(ModelName),
});
/** A request to encode an input to codes or tokens. */
export type TokenizeRequest = v.InferOutput<typeof TokenizeRequest>;
