/**
 * The JSON bodies for `/openapi.json`: the allowed combinations of fields.
 *
 * A route parses its body with one flat schema, so that a refusal can name the
 * field at fault, and checks combinations afterwards. Here each combination
 * is an alternative of its own. The entries are the same.
 *
 * @module
 */

import * as v from "valibot";
import { CaptionRequest } from "./caption.ts";
import { DetokenizeRequest } from "./detokenize.ts";
import { GenerateRequest } from "./generate.ts";
import { TokenizeRequest } from "./tokenize.ts";
import { Webhook } from "./webhook.ts";

/** The entries that a job adds at the top level. */
const job = { webhook: v.optional(Webhook) };

const { ratio, "image_area": area, height, width, ...params } =
  GenerateRequest.entries;

const byRatio = { ...params, ratio, "image_area": area };
const byPixels = { ...params, height: height.wrapped, width: width.wrapped };

/** The body of `generate`: sizes in pixels, or by ratio and area. */
export const GenerateBody = v.pipe(
  v.union([
    v.strictObject({ ...byRatio, ...job }),
    v.strictObject({ ...byPixels, ...job }),
  ]),
  v.metadata({ ref: "GenerateRequest" }),
);

const GenerationParams = v.pipe(
  v.union([v.strictObject(byRatio), v.strictObject(byPixels)]),
  v.description("Body of /v1/generate, to encode as input tokens."),
  v.metadata({ ref: "Scene" }),
);

const {
  image,
  images,
  grid,
  grids,
  "video_frames": videoFrames,
  start,
  end,
  ...options
} = CaptionRequest.entries;
const asking = { ...options, ...job };

/** The body of `caption`: pictures in one of four forms. */
export const CaptionBody = v.pipe(
  v.union([
    v.strictObject({
      ...asking,
      image: image.wrapped,
      "video_frames": videoFrames,
      start,
      end,
    }),
    v.strictObject({ ...asking, images: images.wrapped }),
    v.strictObject({ ...asking, grid: grid.wrapped }),
    v.strictObject({ ...asking, grids: grids.wrapped }),
  ]),
  v.metadata({ ref: "CaptionRequest" }),
);

const { entries } = TokenizeRequest;
const { model } = entries;
const fitting = {
  resize: entries.resize,
  decode: entries.decode,
  pad: entries.pad,
  "frames_per_code": entries.frames_per_code,
  model,
  ...job,
};
const shared = {
  question: entries.question.wrapped,
  template: entries.template,
  decode: entries.decode,
  model,
  ...job,
};

const part = { start: entries.start, end: entries.end };

/** The body of `tokenize`: each kind of input has options of its own. */
export const TokenizeBody = v.pipe(
  v.union([
    v.strictObject({
      image: entries.image.wrapped,
      ...fitting,
      fps: entries.fps,
      ...part,
    }),
    v.strictObject({ frames: entries.frames.wrapped, ...fitting }),
    v.strictObject({
      text: entries.text.wrapped,
      special: entries.special,
      model,
      ...job,
    }),
    v.strictObject({
      prompt: GenerationParams,
      model,
      ...job,
    }),
    v.strictObject({
      ...shared,
      image: entries.image.wrapped,
      "video_frames": entries.video_frames,
      ...part,
    }),
    v.strictObject({ ...shared, images: entries.images.wrapped }),
    v.strictObject({ ...shared, grid: entries.grid.wrapped }),
    v.strictObject({ ...shared, grids: entries.grids.wrapped }),
  ]),
  v.metadata({ ref: "TokenizeRequest" }),
);

const mixed = DetokenizeRequest.entries;
const named = { model: mixed.model, ...job };

/** The body of `detokenize`: a picture, a clip, or tokens. */
export const DetokenizeBody = v.pipe(
  v.union([
    v.strictObject({ grid: mixed.grid.wrapped, ...named }),
    v.strictObject({ clip: mixed.clip.wrapped, ...named }),
    v.strictObject({ tokens: mixed.tokens.wrapped, ...named }),
  ]),
  v.metadata({ ref: "DetokenizeRequest" }),
);
