/**
 * The body of `POST /v1/videos`, and the clip that it becomes.
 *
 * `seconds` times the frame rate are the frames; without it the clip has the
 * model's usual length. `size` is a hint as for images: its ratio is used, the
 * area is the checkpoint's. The reference is the first frame, resized to the
 * clip's size.
 *
 * @module
 */

import { pixelSize } from "../../../../lib/grid.ts";
import * as v from "valibot";
import {
  type FieldError,
  invalidField,
  InvalidFieldsError,
} from "../../../http/errors/errors.ts";
import { parseFields } from "../../../http/body.ts";
import type { Upload } from "../../../http/upload.ts";
import {
  clipGenerator,
  clipRequest,
} from "../../../inference/clips/clip_context.ts";
import { clipTypes } from "../../../inference/clips/clip_files.ts";
import { codesForm } from "../../../inference/clips/clip_params.ts";
import { sizeFromRatio } from "../../../inference/generation_params.ts";
import type { PictureCall } from "../../../inference/pixel_budget.ts";
import type { ImageGenerator, ImageGenerators } from "../../../models/ports.ts";
import {
  AdapterName,
  FramesPerSecond,
  ModelName,
  MOST_FRAMES,
  Picture,
  Temperature,
  Text,
  TopK,
} from "../../../schema/common.ts";
import { GenerateRequest } from "../../../schema/generate.ts";
import { seedOf, topPOf, WideSeed, WideTopP } from "../ranges.ts";
import { open } from "../schema.ts";

/** The schema of a reference in JSON. */
const Reference = v.union([
  Picture,
  v.object({
    "image_url": open(Picture),
    "file_id": open(v.pipe(v.string(), v.maxLength(256))),
  }),
]);

/** The schema of a video: OpenAI's fields, and extensions. */
export const VideoRequest = v.object({
  prompt: v.pipe(Text, v.minLength(1), v.description("Prompt, used verbatim.")),
  model: open(ModelName),
  seconds: open(
    v.pipe(
      v.string(),
      v.regex(
        /^\d{1,4}(\.\d{1,3})?$/,
        'expected a number of seconds such as "4"',
      ),
      v.description(
        "Duration, of which the frame rate makes frames. By default the model's usual length.",
      ),
    ),
  ),
  size: open(
    v.pipe(
      v.string(),
      v.regex(
        /^(auto|[1-9]\d{0,3}x[1-9]\d{0,3})$/,
        'expected "auto", or width and height in pixels such as "1280x720"',
      ),
      v.description(
        'Width and height such as "1280x720", of which the ratio counts, or "auto".',
      ),
    ),
  ),
  "input_reference": open(
    v.pipe(
      Reference,
      v.description(
        "First frame, in JSON; in a form it is the file part input_reference.",
      ),
    ),
  ),
  // The form in which OpenAI's client flattens the object of a reference.
  "input_reference[image_url]": open(Picture),
  fps: open(FramesPerSecond),
  "negative_prompt": open(Text),
  "guidance_scale": open(v.pipe(v.number(), v.minValue(1), v.maxValue(100))),
  temperature: open(Temperature),
  "top_k": open(TopK),
  "top_p": open(WideTopP),
  seed: open(WideSeed),
  metadata: v.nullish(v.boolean(), true),
  adapter: open(AdapterName),
});
/** A request for a video: OpenAI's fields, and extensions. */
export type VideoRequest = v.InferOutput<typeof VideoRequest>;

/** File parts of a form. */
export const VIDEO_FILES = { "input_reference": 1 };

/** The names of fields here for those of `generate`. */
const NAMES: Readonly<Record<string, string>> = {
  frames: "seconds",
  clip: "input_reference",
  context: "input_reference",
  ratio: "size",
  height: "size",
  width: "size",
};

/**
 * Returns the request of `generate` that a video becomes: its model, length and
 * size stated, its reference as codes.
 *
 * @throws {InvalidFieldsError} If the model draws no clips, or none of that
 * length or size.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function wantedVideo(
  generators: ImageGenerators,
  upload: Upload<VideoRequest>,
  call: PictureCall,
): Promise<GenerateRequest> {
  const { fields } = upload;
  const models = await clipGenerator(generators, fields.model);
  const frames = framesOf(fields, models);
  const reference = referenceOf(upload);
  // A frame of codes of the paper's form is filled by one picture.
  const context = reference &&
    Array.from({ length: codesForm(models, "") }, () => reference);
  const request = parseFields(GenerateRequest, {
    prompt: fields.prompt,
    "negative_prompt": fields.negative_prompt,
    ...pixelsOf(fields, models, context === undefined),
    frames,
    fps: fields.fps ?? models.language.generation.clips!.fps,
    context,
    "guidance_scale": fields.guidance_scale,
    temperature: fields.temperature,
    "top_k": fields.top_k,
    "top_p": topPOf(fields.top_p),
    seed: seedOf(fields.seed),
    "output_format": clipTypes(generators).includes("video/mp4")
      ? "mp4"
      : "apng",
    metadata: fields.metadata,
    model: fields.model,
    adapter: fields.adapter,
  });
  const drawn = await clipRequest(request, generators, call);
  if (drawn.clip === undefined) return drawn;
  const [rows] = drawn.clip.codes;
  const size = { height: rows!.length, width: rows![0]!.length };
  return { ...drawn, ...pixelSize(size, models.vision) };
}

/**
 * Runs `work` of `generate` and rethrows its field errors with the names that a
 * video has.
 */
export async function asVideo<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof InvalidFieldsError)) throw cause;
    throw namedAsVideo(cause.fields, cause);
  }
}

/** Returns field errors of `generate` with the names that a video has. */
export function namedAsVideo(
  fields: readonly FieldError[],
  cause?: unknown,
): InvalidFieldsError {
  const named = fields.map(({ pointer, detail }) => {
    const [, field = ""] = pointer.split("/");
    const name = NAMES[field];
    return { pointer: name === undefined ? pointer : `/${name}`, detail };
  });
  return new InvalidFieldsError(named, { cause });
}

/**
 * Returns the frames of pixels: the duration times the rate, in whole frames of
 * codes; by default the model's usual length.
 */
function framesOf(
  { seconds, fps }: VideoRequest,
  models: ImageGenerator,
): number {
  const perCode = codesForm(models, "");
  const form = models.language.generation.clips!;
  if (seconds === undefined) return form.frames;
  const rate = fps ?? form.fps;
  // One still is an image; a clip has two at least.
  const least = Math.max(2, perCode);
  const frames = Math.max(
    least,
    perCode * Math.round(Number(seconds) * rate / perCode),
  );
  const most = Math.min(form.maxFrames, MOST_FRAMES);
  if (frames <= most) return frames;
  throw invalidField(
    "/seconds",
    `expected at most ${
      most / rate
    }: the longest clip has ${most} frames, at ${rate} per second; lower fps for a longer one`,
  );
}

/** Returns the size in pixels; no fields for that of the reference. */
function pixelsOf(
  { size }: VideoRequest,
  { language: { config }, vision }: ImageGenerator,
  square: boolean,
): Pick<GenerateRequest, "height" | "width"> {
  const stated = size === undefined || size === "auto" ? undefined : size;
  if (stated === undefined && !square) return {};
  const ratio = stated?.replace("x", ":") ?? "1:1";
  const grid = sizeFromRatio(
    ratio,
    config.imageArea,
    vision.pixelsPerCode,
    "/size",
  );
  return pixelSize(grid, vision);
}

/** Returns the reference as text; undefined for none. */
function referenceOf(
  { fields, files }: Upload<VideoRequest>,
): string | undefined {
  const [file] = files.get("input_reference") ?? [];
  if (file !== undefined) return file.toBase64();
  const reference = fields.input_reference;
  if (typeof reference === "string") return reference;
  if (reference?.file_id !== undefined) {
    throw invalidField(
      "/input_reference/file_id",
      "uploaded files are not supported; send image_url with a data URL",
    );
  }
  return reference?.image_url ?? fields["input_reference[image_url]"];
}
