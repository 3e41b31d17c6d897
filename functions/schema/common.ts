/**
 * The fields that several bodies share.
 *
 * Every number, text and list is bounded. Only rules that a JSON Schema can
 * state are here; those that depend on a checkpoint are checked later.
 *
 * @module
 */

import * as v from "valibot";
import { MAX_TEXT } from "../http/body_limits.ts";
import { boundedList, isWholeNumber } from "./bounded_list.ts";

/** The names of all functions, in the order in which they are listed. */
export const FUNCTION_NAMES = [
  "generate",
  "caption",
  "tokenize",
  "detokenize",
] as const;

/** A name of a function. */
export type FunctionName = typeof FUNCTION_NAMES[number];

/** The longest side of a grid, in codes. */
const MAX_SIDE = 1024;

/** The largest code of any codebook. */
const MAX_CODE = 65_535;

/** The maximum frames of a clip, whatever the server's settings. */
export const MOST_FRAMES = 4096;

/** The maximum characters of a picture in base64. */
const MAX_BASE64 = 2 ** 26;

/** The schema of text for the model. */
export const Text = v.pipe(v.string(), v.maxLength(MAX_TEXT));

/** The schema of a model's name, which is that of its folder. */
export const ModelName = v.pipe(
  v.string(),
  v.maxLength(256),
  v.description("Name of a model in GET /v1/models."),
);

/** The schema of an adapter's name. */
export const AdapterName = v.pipe(
  v.string(),
  v.maxLength(256),
  v.description("Name of an adapter in GET /v1/models."),
);

/** The schema of the seed of sampling. */
export const Seed = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(Number.MAX_SAFE_INTEGER),
  v.description(
    "Random seed. The same seed gives the same codes. Random by default.",
  ),
);

/** The schema of the sampling temperature. */
export const Temperature = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(100),
  v.description("Sampling temperature; 0 selects the most likely token."),
);

/** The schema of top-k sampling. */
export const TopK = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(1_000_000),
  v.description("Number of most likely tokens to sample from; 0 for all."),
);

/** The schema of top-p sampling. */
export const TopP = v.pipe(v.number(), v.gtValue(0), v.maxValue(1));

/** The schema of a picture as text. */
export const Picture = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(MAX_BASE64),
  v.description(
    "PNG, JPEG, WebP or GIF, as a data URL or in base64 or base64url.",
  ),
);

/** The schema of the decode mode of a picture. */
export const DecodeMode = v.pipe(
  v.picklist(["display", "reference"]),
  v.description(
    "display applies the orientation and the alpha channel. reference ignores both, as the released processor does.",
  ),
);

/** The schema of a code. */
const Code = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(MAX_CODE),
);

const isCode = (code: unknown) => isWholeNumber(code, MAX_CODE);

/** The schema of rows of codes. */
const CodeRows = boundedList(
  boundedList(Code, { min: 1, max: MAX_SIDE, accepts: isCode }),
  { min: 1, max: MAX_SIDE },
);

const Side = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(MAX_SIDE),
);

/** The schema of a picture's codes. */
export const Grid = v.pipe(
  v.strictObject({
    height: v.optional(Side),
    width: v.optional(Side),
    codes: CodeRows,
  }),
  v.description("Rows of codes. Height and width must match them."),
);
/** The codes of a picture. */
export type Grid = v.InferOutput<typeof Grid>;

/** The schema of a picture's codes, some of which are drawn. */
export const KeptGrid = v.pipe(
  v.strictObject({
    height: v.optional(Side),
    width: v.optional(Side),
    codes: boundedList(
      boundedList(v.nullable(Code), {
        min: 1,
        max: MAX_SIDE,
        accepts: (code) => code === null || isCode(code),
      }),
      { min: 1, max: MAX_SIDE },
    ),
  }),
  v.description(
    "Rows of codes of the whole image: given codes are kept, null is generated. The size of the image is that of the rows.",
  ),
);
/** The codes of a picture, some of which are drawn. */
export type KeptGrid = v.InferOutput<typeof KeptGrid>;

/** The schema of the frames of pixels that a frame of codes represents. */
export const FramesPerCode = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(16),
  v.description(
    "Frames of pixels per frame of codes: 1 for stills. By default as the vision tokenizer encodes clips.",
  ),
);

/** The schema of a clip's rate: GIF counts in hundredths of a second. */
export const FrameRate = v.pipe(
  v.number(),
  v.gtValue(0),
  v.maxValue(100),
  v.description("Frames of pixels per second of a clip's file."),
);

/** The schema of a clip's codes. */
export const Clip = v.pipe(
  v.strictObject({
    frames: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(MOST_FRAMES),
      ),
    ),
    height: v.optional(Side),
    width: v.optional(Side),
    "frames_per_code": v.optional(FramesPerCode),
    codes: boundedList(CodeRows, { min: 1, max: MOST_FRAMES }),
  }),
  v.description("Frames of rows of codes."),
);
/** The codes of a clip. */
export type Clip = v.InferOutput<typeof Clip>;

/** The schema of the frame rate of a generated clip. */
export const FramesPerSecond = v.pipe(
  FrameRate,
  v.description("Frames per second of a clip, by default the model's."),
);

/** A grid in the form of a body. */
export interface GridFields {
  /** Number of rows. */
  readonly height: number;
  /** Number of codes in a row. */
  readonly width: number;
  /** Codes row by row. */
  readonly codes: number[][];
}

/** A clip in the form of a body. */
export interface ClipFields {
  /** Number of frames of codes. */
  readonly frames: number;
  /** Number of rows. */
  readonly height: number;
  /** Number of codes in a row. */
  readonly width: number;
  /** Frames of pixels that a frame of codes represents, if these are stills. */
  readonly "frames_per_code"?: 1;
  /** Codes frame by frame, row by row. */
  readonly codes: number[][][];
}
