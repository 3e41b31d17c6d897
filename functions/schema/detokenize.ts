/**
 * The body of `POST /v1/detokenize`.
 *
 * @module
 */

import * as v from "valibot";
import { boundedList, isWholeNumber } from "./bounded_list.ts";
import { Clip, Grid, ModelName } from "./common.ts";

/** The longest mixed sequence: the longest published context. */
const MAX_TOKENS = 131_072;

/** The largest token of any vocabulary. */
const MAX_TOKEN = 2 ** 31 - 1;

/** One of `grid`, `clip` and `tokens` says what is to become pixels or text. */
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
  model: v.optional(ModelName),
});
/** What is to become pixels or text. */
export type DetokenizeRequest = v.InferOutput<typeof DetokenizeRequest>;

/** What may stand in the query beside bare codes. */
export const BesideBytes = v.strictObject({ model: v.optional(ModelName) });
