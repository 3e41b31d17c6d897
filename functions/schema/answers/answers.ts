/**
 * The answers of `generate` and `caption`, and the entries that several answers
 * have.
 *
 * These schemas describe answers for `/openapi.json`, and tests compare real
 * answers with them; the server does not check its answers. They are strict, so
 * that tests find a field without a description.
 *
 * @module
 */

import * as v from "valibot";
import { STRATEGY_NAMES } from "../../../lib/drawing/strategy.ts";

/** A value that is read only, at any depth. */
type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
  : T;

/** An answer as its schema describes it. */
export type AnswerOf<Schema extends v.GenericSchema> = DeepReadonly<
  v.InferOutput<Schema>
>;

/** The schema of a count. */
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The schema of a duration in seconds. */
const Seconds = v.pipe(v.number(), v.minValue(0));

const Side = v.pipe(v.number(), v.integer(), v.minValue(1));

/** The schema of rows of codes. */
export const Rows = v.array(v.array(Count));

/** The schema of a picture's codes. */
export const GridAnswer = v.pipe(
  v.strictObject({ height: Side, width: Side, codes: Rows }),
  v.description("Rows of codes. Valid as input wherever a grid is accepted."),
  v.metadata({ ref: "GridAnswer" }),
);

/** The schema of a clip's codes. */
export const ClipAnswer = v.pipe(
  v.strictObject({
    frames: Count,
    height: Side,
    width: Side,
    "frames_per_code": v.optional(
      v.pipe(
        v.literal(1),
        v.description("Present if each frame of codes is a still."),
      ),
    ),
    codes: v.array(Rows),
  }),
  v.description(
    "Frames of codes. Valid as input wherever a clip is accepted.",
  ),
  v.metadata({ ref: "ClipAnswer" }),
);

/** The entries of a file in JSON. */
export const FILE_ENTRIES = {
  "b64_json": v.pipe(v.string(), v.description("File in base64.")),
  "mime_type": v.picklist(["image/png", "image/jpeg", "image/webp"]),
};

/** The entries of a picture's sides, in pixels. */
export const SIDE_ENTRIES = { height: Side, width: Side };

/** The schema of the durations of each part. */
export const TimingsAnswer = v.pipe(
  v.strictObject({
    "queue_s": Seconds,
    "prefill_s": Seconds,
    "decode_s": Seconds,
    "vision_s": Seconds,
  }),
  v.description("Duration of each phase, in seconds."),
  v.metadata({ ref: "Timings" }),
);

/** The schema of the probabilities at the place of a code. */
export const Logprobs = v.array(v.strictObject({
  logprob: v.pipe(
    v.nullable(v.number()),
    v.description(
      "Log probability of the code at this position. null means minus infinity.",
    ),
  ),
  entropy: v.pipe(v.number(), v.description("Entropy in nats.")),
  top: v.pipe(
    v.array(v.strictObject({ code: Count, logprob: v.nullable(v.number()) })),
    v.description("Most likely codes, in descending order."),
  ),
}));

const ROW_ENTRIES = {
  index: Count,
  codes: v.array(Count),
  logprobs: v.optional(Logprobs),
};

const IMAGE_ENTRIES = {
  ...FILE_ENTRIES,
  ...SIDE_ENTRIES,
  grid: GridAnswer,
  rows: v.optional(
    v.pipe(
      v.array(v.strictObject(ROW_ENTRIES)),
      v.description("Rows with log probabilities, if logprobs is set."),
    ),
  ),
};

const CLIP_ENTRIES = {
  "b64_json": FILE_ENTRIES.b64_json,
  "mime_type": v.picklist([
    "image/apng",
    "image/gif",
    "application/zip",
    "video/mp4",
  ]),
  ...SIDE_ENTRIES,
  frames: v.pipe(Count, v.description("Number of frames of pixels.")),
  fps: v.pipe(v.number(), v.description("Frames of pixels per second.")),
  clip: ClipAnswer,
  rows: v.optional(
    v.pipe(
      v.array(v.strictObject(ROW_ENTRIES)),
      v.description(
        "Rows of all frames with log probabilities, if logprobs is set; index counts from the first frame.",
      ),
    ),
  ),
};

/** The answer of `generate`: generated pictures, or clips. */
export const GenerateAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    model: v.string(),
    seed: v.pipe(Count, v.description("Seed that reproduces the codes.")),
    strategy: v.picklist(STRATEGY_NAMES),
    lossless: v.pipe(
      v.boolean(),
      v.description(
        "True if the strategy samples the same distribution as autoregressive decoding.",
      ),
    ),
    images: v.array(v.strictObject(IMAGE_ENTRIES)),
    clips: v.optional(
      v.pipe(
        v.array(v.strictObject(CLIP_ENTRIES)),
        v.description("Clips, if frames is above 1; images is then empty."),
      ),
    ),
    usage: v.strictObject({
      "prompt_tokens": Count,
      "image_tokens": Count,
      forwards: v.pipe(Count, v.description("Number of forward passes.")),
    }),
    timings: TimingsAnswer,
  }),
  v.metadata({ ref: "GenerateAnswer" }),
);
/** The answer of `generate`. */
export type GenerateAnswer = AnswerOf<typeof GenerateAnswer>;

/** The answer of `caption`: text about pictures. */
export const CaptionAnswer = v.pipe(
  v.strictObject({
    id: v.string(),
    model: v.string(),
    text: v.string(),
    "finish_reason": v.picklist(["stop", "length"]),
    usage: v.strictObject({
      "prompt_tokens": Count,
      "completion_tokens": Count,
    }),
    timings: TimingsAnswer,
  }),
  v.metadata({ ref: "CaptionAnswer" }),
);
/** The answer of `caption`. */
export type CaptionAnswer = AnswerOf<typeof CaptionAnswer>;

/** The event data of `generate` by event name. */
export const GENERATE_EVENTS = {
  queued: v.strictObject({ position: Count }),
  started: v.strictObject({
    id: v.string(),
    seed: Count,
    n: v.pipe(Count, v.description("Number of images.")),
    rows: v.pipe(Count, v.description("Number of rows to generate per image.")),
    grid: v.pipe(
      v.strictObject(SIDE_ENTRIES),
      v.description("Size of an image or of one frame, in codes."),
    ),
    frames: v.optional(
      v.pipe(Count, v.description("Frames of codes of a clip.")),
    ),
    given: v.optional(
      v.pipe(Count, v.description("Frames of codes that are given.")),
    ),
    fps: v.optional(v.number()),
  }),
  row: v.strictObject({
    "image_index": Count,
    frame: v.optional(
      v.pipe(
        Count,
        v.description("Frame of a clip; index counts the rows of that frame."),
      ),
    ),
    ...ROW_ENTRIES,
    preview: v.optional(v.strictObject({ ...FILE_ENTRIES, ...SIDE_ENTRIES })),
  }),
  frame: v.strictObject({
    "image_index": Count,
    frame: v.pipe(Count, v.description("Frame of codes that is complete.")),
    previews: v.optional(
      v.pipe(
        v.array(v.strictObject({ ...FILE_ENTRIES, ...SIDE_ENTRIES })),
        v.description("Its frames of pixels, if preview is set."),
      ),
    ),
  }),
  image: v.strictObject({ "image_index": Count, ...IMAGE_ENTRIES }),
  clip: v.strictObject({ "image_index": Count, ...CLIP_ENTRIES }),
  completed: GenerateAnswer,
};
/** The event data of `generate`. */
export type GenerateEvents = {
  readonly [Name in keyof typeof GENERATE_EVENTS]: AnswerOf<
    typeof GENERATE_EVENTS[Name]
  >;
};

/** The event data of `caption` by event name. */
export const CAPTION_EVENTS = {
  queued: v.strictObject({ position: Count }),
  started: v.strictObject({ id: v.string() }),
  delta: v.strictObject({ text: v.string() }),
  completed: CaptionAnswer,
};
/** The event data of `caption`. */
export type CaptionEvents = {
  readonly [Name in keyof typeof CAPTION_EVENTS]: AnswerOf<
    typeof CAPTION_EVENTS[Name]
  >;
};
