/**
 * The answers of `tokenize` and `detokenize`.
 *
 * @module
 */

import * as v from "valibot";
import {
  type AnswerOf,
  ClipAnswer,
  Count,
  FILE_ENTRIES,
  GridAnswer,
  SIDE_ENTRIES,
} from "./answers.ts";

const SOURCE_ENTRIES = {
  model: v.string(),
  source: v.pipe(
    v.strictObject(SIDE_ENTRIES),
    v.description("Size of the input image, in pixels."),
  ),
  resized: v.pipe(
    v.strictObject(SIDE_ENTRIES),
    v.description("Size of the encoded image, in pixels."),
  ),
};

/** The answer of `tokenize`: codes of a picture or clip, or tokens of a text. */
export const TokenizeAnswer = v.pipe(
  v.union([
    v.strictObject({ ...SOURCE_ENTRIES, grid: GridAnswer }),
    v.strictObject({
      ...SOURCE_ENTRIES,
      clip: ClipAnswer,
      fps: v.optional(
        v.pipe(
          v.number(),
          v.description("Frames per second that were taken from a video."),
        ),
      ),
    }),
    v.strictObject({
      model: v.string(),
      tokens: v.array(Count),
      count: Count,
      unconditional: v.optional(
        v.pipe(
          v.array(Count),
          v.description(
            "Input tokens of the unconditional branch, for a prompt.",
          ),
        ),
      ),
    }),
  ]),
  v.metadata({ ref: "TokenizeAnswer" }),
);
/** The answer of `tokenize`. */
export type TokenizeAnswer = AnswerOf<typeof TokenizeAnswer>;

/**
 * The answer of `detokenize`: a picture, the frames of a clip, or decoded
 * tokens.
 */
export const DetokenizeAnswer = v.pipe(
  v.union([
    v.strictObject({ model: v.string(), ...FILE_ENTRIES, ...SIDE_ENTRIES }),
    v.strictObject({
      model: v.string(),
      frames: v.array(v.strictObject(FILE_ENTRIES)),
      ...SIDE_ENTRIES,
    }),
    v.strictObject({
      model: v.string(),
      parts: v.array(v.variant("type", [
        v.strictObject({ type: v.literal("text"), text: v.string() }),
        v.strictObject({ type: v.literal("image"), grid: GridAnswer }),
      ])),
      text: v.pipe(v.string(), v.description("All text parts, joined.")),
    }),
  ]),
  v.metadata({ ref: "DetokenizeAnswer" }),
);
/** The answer of `detokenize`. */
export type DetokenizeAnswer = AnswerOf<typeof DetokenizeAnswer>;
