/**
 * The generation parameters, made from the body of `generate`.
 *
 * Wire names become those of `lib`, and missing fields take the defaults of the
 * checkpoint or the server.
 *
 * @module
 */

import {
  gridSizeFromPixels,
  gridSizeFromRatio,
  parseRatio,
} from "../../lib/aspect.ts";
import type { GenerationParams } from "../../lib/emu3.ts";
import { type KeptCodes, keptPrefix } from "../../lib/drawing/kept_codes.ts";
import { type StrategyName, strategyOf } from "../../lib/drawing/strategy.ts";
import { GridError } from "../../lib/errors.ts";
import type { CodeClip, CodeGrid, GridSize } from "../../lib/grid.ts";
import { gridFromFields } from "../http/grid_json.ts";
import { asksForClip, clipParams, givenFrames } from "./clips/clip_params.ts";
import { keptFromFields } from "./kept_codes.ts";
import type {
  ImageGenerator,
  TextModel,
  VisionModel,
} from "../models/ports.ts";
import { invalidField } from "../http/errors/errors.ts";
import type { Grid } from "../schema/common.ts";
import type { GenerateRequest } from "../schema/generate.ts";

/** The checkpoints' and the server's settings. */
export interface SceneModels
  extends Pick<ImageGenerator, "strategy" | "window" | "strategies"> {
  /** Language model, for defaults. */
  readonly language: Pick<TextModel, "name" | "config" | "generation">;
  /** Vision tokenizer, for sizes. */
  readonly vision: Pick<
    VisionModel,
    "pixelsPerCode" | "codebookSize" | "framesPerCode"
  >;
}

/**
 * Returns the parameters of a generation.
 *
 * @param pointer JSON pointer to the fields.
 * @throws {InvalidFieldsError} If fields contradict each other.
 */
export function generationParams(
  request: GenerateRequest,
  models: SceneModels,
  pointer = "",
): GenerationParams {
  const { language, vision, strategy, window } = models;
  const { generation, config } = language;
  const temperature = request.temperature ?? generation.temperature;
  const given = givenFrames(request, models, pointer);
  const keep = keptCodes(request, vision, pointer);
  const size = keep ?? frameSize(request, given) ?? gridSize(
    request,
    config.imageArea,
    vision.pixelsPerCode,
    pointer,
  );
  const clip = asksForClip(request)
    ? clipParams(request, size, given, { models, pointer })
    : undefined;
  return {
    prompt: request.prompt,
    negativePrompt: request.negative_prompt ?? generation.negativePrompt,
    guidanceScale: request.guidance_scale ?? generation.guidanceScale,
    size: { height: size.height, width: size.width },
    keep,
    // The rows above the first code that is drawn are given.
    prefix: keep !== undefined ? keptPrefix(keep) : request.prefix &&
      prefixFrom(
        request.prefix,
        size,
        vision.codebookSize,
        `${pointer}/prefix`,
      ),
    ...clip,
    strategy: strategyOf(
      requestedStrategy(request, models, pointer) ??
        (clip && strategy === "zipar" ? "jacobi" : strategy),
      window,
    ),
    sampling: {
      temperature,
      topK: request.top_k ?? generation.topK,
      topP: request.top_p ?? generation.topP,
    },
    // Without randomness, the seed has no effect.
    seed: request.seed ?? (temperature === 0 ? 0 : randomSeed()),
    count: request.n,
    logprobs: request.logprobs,
  };
}

/** Returns the strategy of the request, if any. */
function requestedStrategy(
  { strategy }: GenerateRequest,
  { strategies }: SceneModels,
  pointer: string,
): StrategyName | undefined {
  if (strategy === undefined || strategies === undefined) return strategy;
  if (strategies.includes(strategy)) return strategy;
  throw invalidField(
    `${pointer}/strategy`,
    `this server does not support ${strategy} with its KV cache in int8: omit it or use ${
      strategies.join(" or ")
    }`,
  );
}

/** Returns a random seed of 53 bits. */
export function randomSeed(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return (high! >>> 11) * 2 ** 32 + low!;
}

/** Returns the kept codes, whose size is the picture's. */
function keptCodes(
  { keep: field, prefix, height, width, ratio, image_area: area }:
    GenerateRequest,
  { pixelsPerCode, codebookSize }: SceneModels["vision"],
  pointer: string,
): KeptCodes | undefined {
  if (field === undefined) return undefined;
  const extra = Object.entries({ prefix, ratio, "image_area": area })
    .find(([, value]) => value !== undefined);
  if (extra !== undefined) {
    throw invalidField(
      `${pointer}/${extra[0]}`,
      "omit it: keep has the rows and the size of the image",
    );
  }
  const keep = keptFromFields(field, `${pointer}/keep`, codebookSize);
  for (const [side, stated] of Object.entries({ height, width })) {
    const expected = keep[side === "height" ? "height" : "width"] *
      pixelsPerCode;
    if (stated === undefined || stated === expected) continue;
    throw invalidField(
      `${pointer}/${side}`,
      `expected ${expected}, the size of keep`,
    );
  }
  return keep;
}

/** Returns the size of given frames, if no field sets another. */
function frameSize(
  request: GenerateRequest,
  given: CodeClip | undefined,
): GridSize | undefined {
  return hasSize(request) ? undefined : given;
}

/** Returns true if fields set the size of pictures or frames. */
export function hasSize(
  { height, width, ratio, image_area: area }: GenerateRequest,
): boolean {
  return [height, width, ratio, area].some((field) => field !== undefined);
}

/**
 * Returns the size that the fields set, in codes.
 *
 * @param imageArea Area of a picture in pixels, unless the request has one.
 * @throws {InvalidFieldsError} If they contradict each other.
 */
export function gridSize(
  request: GenerateRequest,
  imageArea: number,
  pixelsPerCode: number,
  pointer: string,
): GridSize {
  const { height, width, ratio, image_area: area } = request;
  if (height === undefined && width === undefined) {
    const field = ratio === undefined ? "image_area" : "ratio";
    return sizeFromRatio(
      ratio ?? "1:1",
      area ?? imageArea,
      pixelsPerCode,
      `${pointer}/${field}`,
    );
  }
  if (height === undefined || width === undefined) {
    const missing = height === undefined ? "height" : "width";
    throw invalidField(
      `${pointer}/${missing}`,
      "is required: set both height and width",
    );
  }
  if (ratio !== undefined || area !== undefined) {
    const extra = ratio === undefined ? "image_area" : "ratio";
    throw invalidField(
      `${pointer}/${extra}`,
      "omit it: height and width replace ratio and image_area",
    );
  }
  const odd = height % pixelsPerCode !== 0 ? "height" : "width";
  return orInvalid(
    () => gridSizeFromPixels({ height, width }, pixelsPerCode),
    `${pointer}/${odd}`,
  );
}

/**
 * Returns the grid size of `ratio`, `"W:H"`, for a picture of about `area`
 * pixels.
 *
 * @param pointer JSON pointer to the field with the ratio.
 * @throws {InvalidFieldsError} If there is no such grid.
 */
export function sizeFromRatio(
  ratio: string,
  area: number,
  pixelsPerCode: number,
  pointer: string,
): GridSize {
  return orInvalid(
    () => gridSizeFromRatio(parseRatio(ratio), area, pixelsPerCode),
    pointer,
  );
}

function prefixFrom(
  field: Grid,
  size: GridSize,
  codebookSize: number,
  pointer: string,
): CodeGrid {
  const grid = gridFromFields(field, pointer, codebookSize);
  if (grid.width !== size.width || grid.height >= size.height) {
    throw invalidField(
      pointer,
      `expected fewer than ${size.height} rows of ${size.width} codes`,
    );
  }
  return grid;
}

/** Runs `compute` and rethrows errors of `lib` as errors of the field. */
function orInvalid<T>(compute: () => T, pointer: string): T {
  try {
    return compute();
  } catch (cause) {
    if (cause instanceof GridError || cause instanceof SyntaxError) {
      const detail = cause.message.replace(/^Cannot read grid: /, "");
      throw invalidField(pointer, detail, { cause });
    }
    throw cause;
  }
}
