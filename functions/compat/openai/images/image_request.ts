/**
 * The body of `POST /v1/images/generations`, and the generation that it becomes.
 *
 * `size` is a hint: its ratio is used, the area is the checkpoint's, and the
 * answer reports the result. `quality`, `style`, `background`, `moderation` and
 * `user` have no meaning for Emu3 and are ignored, as are unknown fields.
 *
 * @module
 */

import * as v from "valibot";
import { STRATEGY_NAMES } from "../../../../lib/drawing/strategy.ts";
import { type GridSize, pixelSize } from "../../../../lib/grid.ts";
import type { WantedFile } from "../../../inference/generation_task.ts";
import { FILE_TYPES } from "../../../inference/render.ts";
import type { ImageGenerator } from "../../../models/ports.ts";
import { invalidField } from "../../../http/errors/errors.ts";
import { sizeFromRatio } from "../../../inference/generation_params.ts";
import { ModelName, Temperature, Text, TopK } from "../../../schema/common.ts";
import type { GenerateRequest } from "../../../schema/generate.ts";
import { seedOf, topPOf, WideSeed, WideTopP } from "../ranges.ts";
import { open } from "../schema.ts";

/** Maximum partial pictures of a request. */
const MAX_PARTIAL_IMAGES = 3;

/** The schema of a generation: OpenAI's fields, and extensions. */
export const ImageRequest = v.object({
  prompt: v.pipe(Text, v.description("Prompt, used verbatim.")),
  model: open(ModelName),
  n: v.nullish(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(8)),
    1,
  ),
  size: v.nullish(
    v.pipe(
      v.string(),
      v.regex(
        /^(auto|[1-9]\d{0,3}x[1-9]\d{0,3})$/,
        'expected "auto", or width and height in pixels such as "1024x768"',
      ),
      v.description(
        'Width and height such as "1024x768", of which the ratio counts, or "auto".',
      ),
    ),
    "auto",
  ),
  "output_format": v.nullish(v.picklist(["png", "jpeg", "webp"]), "png"),
  "output_compression": open(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(100),
      v.description(
        "Quality of a JPEG or WebP; WebP is lossless by default.",
      ),
    ),
  ),
  "response_format": v.nullish(
    v.pipe(
      v.picklist(["b64_json", "url"]),
      v.description(
        "url is a URL of this server, valid as long as jobs are kept; in a job it is a data URL.",
      ),
    ),
    "b64_json",
  ),
  stream: v.nullish(v.boolean(), false),
  "partial_images": v.nullish(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(MAX_PARTIAL_IMAGES),
      v.description("Number of partial images in a stream."),
    ),
    0,
  ),
  "negative_prompt": open(Text),
  "guidance_scale": open(
    v.pipe(v.number(), v.minValue(1), v.maxValue(100)),
  ),
  temperature: open(Temperature),
  "top_k": open(TopK),
  "top_p": open(WideTopP),
  seed: open(WideSeed),
  strategy: open(v.picklist(STRATEGY_NAMES)),
  metadata: v.nullish(v.boolean(), true),
});
/** A request to generate pictures: OpenAI's fields, and extensions. */
export type ImageRequest = v.InferOutput<typeof ImageRequest>;

/** A generation, and the files to make of it. */
export interface WantedGeneration {
  /** Request in the form of `generate`. */
  readonly request: GenerateRequest;
  /** Format of the files, and the previews. */
  readonly wanted: WantedFile;
}

/**
 * Returns the generation that `request` describes.
 *
 * @throws {InvalidFieldsError} If no grid has its ratio, or it needs fields that
 * OpenAI's events do not have.
 */
export function wantedGeneration(
  request: ImageRequest,
  { language, vision }: Pick<ImageGenerator, "language" | "vision">,
): WantedGeneration {
  const partialImages = request.stream ? request.partial_images : 0;
  if (partialImages > 0 && request.n > 1) {
    throw invalidField(
      "/partial_images",
      "expected 0: partial images are not supported with n above 1",
    );
  }
  if (request.stream && request["response_format"] === "url") {
    throw invalidField(
      "/response_format",
      "expected b64_json: streams contain the images themselves",
    );
  }
  const size = gridSize(
    request.size,
    language.config.imageArea,
    vision.pixelsPerCode,
  );
  return {
    request: {
      prompt: request.prompt,
      "negative_prompt": request.negative_prompt,
      ...pixelSize(size, vision),
      "guidance_scale": request.guidance_scale,
      temperature: request.temperature,
      "top_k": request.top_k,
      "top_p": topPOf(request.top_p),
      seed: seedOf(request.seed),
      n: request.n,
      strategy: request.strategy,
      logprobs: 0,
      preview: false,
      "output_format": request.output_format,
      metadata: request.metadata,
      model: request.model,
    },
    wanted: {
      file: FILE_TYPES[request.output_format],
      preview: partialRows(size.height, partialImages),
      quality: fileQuality(request.output_compression),
    },
  };
}

/** Returns the quality for OpenAI's 0 … 100; this server's begins at 1. */
function fileQuality(compression: number | undefined): number | undefined {
  return compression === undefined ? undefined : Math.max(1, compression);
}

/**
 * Returns the rows after which a partial picture of `height` rows is sent: as
 * many as requested, spaced evenly, and never the last. A low picture has
 * fewer.
 */
export function partialRows(
  height: number,
  partialImages: number,
): ReadonlySet<number> {
  const rows = new Set<number>();
  for (let i = 1; i <= partialImages; i++) {
    const done = Math.floor(height * i / (partialImages + 1));
    if (done > 0) rows.add(done - 1);
  }
  return rows;
}

function gridSize(
  size: string,
  imageArea: number,
  pixelsPerCode: number,
): GridSize {
  const ratio = size === "auto" ? "1:1" : size.replace("x", ":");
  return sizeFromRatio(ratio, imageArea, pixelsPerCode, "/size");
}
