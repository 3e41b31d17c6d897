/**
 * The body of `POST /v1/detokenize`.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList, isWholeNumber } from "./bounded_list.ts";
import { Clip, FrameRate, FramesPerCode, Grid, ModelName } from "./common.ts";

/** The maximum length of a mixed sequence: the longest published context. */
const MAX_TOKENS = 131_072;

/** The largest token of any vocabulary. */
const MAX_TOKEN = 2 ** 31 - 1;

/** The schema of the body: one of `grid`, `clip` and `tokens` is decoded. */
export const DetokenizeRequest = v.strictObject({
  grid: v.optional(Grid),
  clip: v.optional(Clip),
  tokens: v.optional(
    boundedList(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(0),
        v.maxValue(MAX_TOKEN),
      ),
      {
        max: MAX_TOKENS,
        accepts: (token) => isWholeNumber(token, MAX_TOKEN),
      },
    ),
  ),
  fps: v.optional(FrameRate),
  model: v.optional(ModelName),
});
/** A request to decode codes or tokens. */
export type DetokenizeRequest = v.InferOutput<typeof DetokenizeRequest>;

/** The schema of the query of bare codes. */
export const BesideBytes = v.strictObject({
  "frames_per_code": v.optional(FramesPerCode),
  fps: v.optional(FrameRate),
  model: v.optional(ModelName),
});
