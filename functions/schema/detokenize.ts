/**
 * The body of `POST /v1/detokenize`.
 *
 * @module
 */

import * as v from "valibot";
import { Clip, Grid, ModelName } from "./common.ts";

/** The longest mixed sequence: the longest published context. */
const MAX_TOKENS = 131_072;

/** One of `grid`, `clip` and `tokens` says what is to become pixels or text. */
export const DetokenizeRequest = v.strictObject({
  grid: v.optional(Grid),
  clip: v.optional(Clip),
  tokens: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(0),
          v.maxValue(2 ** 31 - 1),
        ),
      ),
      v.maxLength(MAX_TOKENS),
    ),
  ),
  model: v.optional(ModelName),
});
/** What is to become pixels or text. */
export type DetokenizeRequest = v.InferOutput<typeof DetokenizeRequest>;

/** What may stand in the query beside bare codes. */
export const BesideBytes = v.strictObject({ model: v.optional(ModelName) });
