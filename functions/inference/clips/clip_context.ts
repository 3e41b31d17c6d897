/**
 * The context of a clip: given pictures or an animation → codes of its first
 * frames.
 *
 * @module
 */

import { gridSizeFromRatio } from "../../../lib/aspect.ts";
import type { GridSize } from "../../../lib/grid.ts";
import { readHeader } from "../../../lib/image/header.ts";
import type { PixelSize } from "../../../lib/image/image.ts";
import { clipFields } from "../../http/grid_json.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { pictureBytes } from "../../http/upload.ts";
import type {
  ImageGenerator,
  ImageGenerators,
  Tools,
} from "../../models/ports.ts";
import type { GenerateRequest } from "../../schema/generate.ts";
import { codesForm } from "./clip_params.ts";
import { encodeClip } from "./encode_clip.ts";
import { sourceSize } from "../encode_image.ts";
import { checkFrameCount } from "../frame_limit.ts";
import { gridSize, hasSize } from "../generation_params.ts";
import type { PictureCall } from "../pixel_budget.ts";

/**
 * Returns the request for a clip with its model's name, which is opened, and
 * its context as codes; throws as {@linkcode withContext} does.
 */
export async function clipRequest(
  request: GenerateRequest,
  generators: ImageGenerators,
  call: PictureCall,
): Promise<GenerateRequest> {
  const models = await clipGenerator(generators, request.model);
  // Adapters are named behind the model.
  const model = request.model ?? models.language.name;
  const named = { ...request, model };
  if (request.context === undefined) return named;
  return await withContext(named, request.context, {
    models,
    tools: generators,
    call,
  });
}

/** Returns the models that draw clips, opened on first use. */
export async function clipGenerator(
  generators: ImageGenerators,
  model: string | undefined,
): Promise<ImageGenerator> {
  return await generators.clipGenerator?.(model) ??
    generators.imageGenerator(model);
}

/**
 * Returns the request with its context as codes.
 *
 * Without fields that set the size, frames have the ratio of the first one and
 * the area that the model was trained on.
 *
 * @throws {InvalidFieldsError} If the model draws no clips, or the context has
 * no such frames.
 * @throws {ImageSizeError} If frames differ in size.
 * @throws {OverloadedError} If too many pictures wait.
 */
async function withContext(
  request: GenerateRequest,
  context: NonNullable<GenerateRequest["context"]>,
  { models, tools, call }: {
    readonly models: ImageGenerator;
    readonly tools: Tools;
    readonly call: PictureCall;
  },
): Promise<GenerateRequest> {
  const { context: _, ...rest } = request;
  if (request.clip !== undefined) {
    throw invalidField("/context", "omit it: clip holds the first frames");
  }
  const perCode = codesForm(models, "");
  checkFrameCount(context.length, "/context", tools.limits);
  using held = new DisposableStack();
  const files = await Promise.all(
    context.map((text, i) =>
      pictureBytes(tools, text, `/context/${i}`, { call, held })
    ),
  );
  const header = readHeader(files[0]!);
  const decode = "display";
  const { vision } = models;
  const size = frameSize(request, sourceSize(header, { decode }), models);
  const { codes } = await encodeClip(tools, files, vision, {
    options: {
      decode,
      resize: {
        height: size.height * vision.pixelsPerCode,
        width: size.width * vision.pixelsPerCode,
      },
      animation: files.length === 1 && header.frames > 1,
      pad: false,
      stills: perCode === 1,
      pointer: "/context",
    },
    call,
  });
  return { ...rest, clip: clipFields(codes) };
}

function frameSize(
  request: GenerateRequest,
  source: PixelSize,
  { language: { config }, vision: { pixelsPerCode } }: ImageGenerator,
): GridSize {
  return hasSize(request)
    ? gridSize(request, config.imageArea, pixelsPerCode, "")
    : gridSizeFromRatio(source, config.imageArea, pixelsPerCode);
}
