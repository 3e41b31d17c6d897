/**
 * The context of a clip: given pictures, an animation or a video → codes of its
 * first frames.
 *
 * @module
 */

import { pixelSize } from "../../../lib/grid.ts";
import { gridSizeFromRatio } from "../../../lib/aspect.ts";
import type { PixelSize } from "../../../lib/image/image.ts";
import { clipFields } from "../../http/grid_json.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { listBytes } from "../../http/upload.ts";
import type {
  ImageGenerator,
  ImageGenerators,
  Tools,
} from "../../models/ports.ts";
import type { GenerateRequest } from "../../schema/generate.ts";
import { asksForClip, codesForm } from "./clip_params.ts";
import { type ClipOptions, encodeClip } from "./encode_clip.ts";
import { checkFrameCount } from "../frame_limit.ts";
import { gridSize, hasSize } from "../generation_params.ts";
import type { PictureCall } from "../pixel_budget.ts";
import { isVideo } from "../video/video_input.ts";

/**
 * Returns a request as it is generated: that for a picture unchanged, that for
 * a clip as {@linkcode clipRequest} does.
 */
export async function readyRequest(
  request: GenerateRequest,
  generators: ImageGenerators,
  call: PictureCall,
): Promise<GenerateRequest> {
  return asksForClip(request)
    ? await clipRequest(request, generators, call)
    : request;
}

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
 * the area that the model was trained on. Frames of a video are taken at the
 * rate of the clip.
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
  const files = await listBytes(tools, context, "/context", { call, held });
  const { codes } = await encodeClip(tools, files, models.vision, {
    options: {
      decode: "display",
      resize: (source) => frameSize(request, source, models),
      animation: files.length === 1,
      pad: false,
      stills: perCode === 1,
      pointer: "/context",
      ...(files.some(isVideo) && videoOptions(request, models, perCode)),
    },
    call,
  });
  return { ...rest, clip: clipFields(codes) };
}

/** Returns the frames that are taken from a video. */
function videoOptions(
  { fps, context_frames: last }: GenerateRequest,
  { language: { generation } }: ImageGenerator,
  perCode: number,
): Pick<ClipOptions, "part" | "last"> {
  return {
    part: { fps: fps ?? generation.clips?.fps },
    // Other numbers are refused later, by the codes.
    last: last !== undefined && last % perCode === 0 ? last : undefined,
  };
}

/** Returns the size of a frame in pixels. */
function frameSize(
  request: GenerateRequest,
  source: PixelSize,
  { language: { config }, vision }: ImageGenerator,
): PixelSize {
  const { pixelsPerCode } = vision;
  const size = hasSize(request)
    ? gridSize(request, config.imageArea, pixelsPerCode, "")
    : gridSizeFromRatio(source, config.imageArea, pixelsPerCode);
  return pixelSize(size, vision);
}
