/**
 * The JSON body of `score` for `/openapi.json`: the allowed combinations of
 * fields on this server.
 *
 * @module
 */

import * as v from "valibot";
import type { FunctionName } from "./common.ts";
import { ScoreRequest } from "./score.ts";
import { Webhook } from "./webhook.ts";

const { entries } = ScoreRequest;

const beside = {
  decode: entries.decode,
  model: entries.model,
  adapter: entries.adapter,
  webhook: v.optional(Webhook),
};

const drawn = {
  ...beside,
  prompt: entries.prompt.wrapped,
  "negative_prompt": entries.negative_prompt,
  "guidance_scale": entries.guidance_scale,
  rows: entries.rows,
  logprobs: entries.logprobs,
};

const answered = {
  ...beside,
  text: entries.text.wrapped,
  question: entries.question,
  template: entries.template,
};

const PICTURES = [
  v.strictObject({ ...drawn, image: entries.image.wrapped }),
  v.strictObject({ ...drawn, grid: entries.grid.wrapped }),
  v.strictObject({ ...drawn, clip: entries.clip.wrapped, fps: entries.fps }),
  v.strictObject({
    ...drawn,
    frames: entries.frames.wrapped,
    fps: entries.fps,
  }),
];

const ANSWERS = [
  v.strictObject({ ...answered, image: entries.image.wrapped }),
  v.strictObject({ ...answered, images: entries.images.wrapped }),
  v.strictObject({ ...answered, grid: entries.grid.wrapped }),
  v.strictObject({ ...answered, grids: entries.grids.wrapped }),
];

/**
 * Returns the body: pictures need the function `generate`, answers need
 * `caption`.
 */
export function scoreBody(
  functions: ReadonlySet<FunctionName>,
): v.GenericSchema {
  const kinds: readonly v.GenericSchema[] = [
    ...functions.has("generate") ? PICTURES : [],
    ...functions.has("caption") ? ANSWERS : [],
  ];
  return v.pipe(v.union(kinds), v.metadata({ ref: "ScoreRequest" }));
}
