/**
 * The clip parameters of a generation, made from its body.
 *
 * @module
 */

import type { DrawnClip } from "../../../lib/clip_layout.ts";
import type { GenerationParams } from "../../../lib/emu3.ts";
import type { CodeClip, CodeGrid, GridSize } from "../../../lib/grid.ts";
import { clipFromFields } from "../../http/grid_json.ts";
import { invalidField } from "../../http/errors/errors.ts";
import type { TextModel, Tools, VisionModel } from "../../models/ports.ts";
import { checkClipSize, clipTypes } from "./clip_files.ts";
import type { WantedFile } from "../generation_task.ts";
import type { GenerateRequest } from "../../schema/generate.ts";

/** The models that a clip's parameters depend on. */
export interface ClipModels {
  /** Language model, for its form of clips. */
  readonly language: Pick<TextModel, "name" | "generation">;
  /** Vision tokenizer, for its codes. */
  readonly vision: Pick<VisionModel, "codebookSize" | "framesPerCode">;
}

/** The part of a generation's parameters that makes it a clip. */
export interface ClipParams {
  /** Form and length of the clip. */
  readonly clip: DrawnClip;
  /** Size of all frames together, one below the other. */
  readonly size: GridSize;
  /** Codes of the given frames; undefined for none. */
  readonly prefix: CodeGrid | undefined;
}

/** Returns true if a body asks for a clip; one frame is a picture. */
export function asksForClip(
  { frames = 1, clip, context }: Pick<
    GenerateRequest,
    "frames" | "clip" | "context"
  >,
): boolean {
  return frames > 1 || clip !== undefined || context !== undefined;
}

/**
 * Returns the given frames of a body.
 *
 * @throws {InvalidFieldsError} If they are not of the model's form.
 */
export function givenFrames(
  { clip, context_frames: last }: Pick<
    GenerateRequest,
    "clip" | "context_frames"
  >,
  models: ClipModels,
  pointer: string,
): CodeClip | undefined {
  if (clip === undefined) return undefined;
  const { vision } = models;
  const given = clipFromFields(clip, `${pointer}/clip`, vision);
  const perCode = codesForm(models, pointer);
  // A clip of stills may leave it out where the model knows nothing else.
  const stated = clip.frames_per_code ?? perCode;
  if (stated !== perCode) {
    throw invalidField(
      `${pointer}/clip/frames_per_code`,
      `expected ${perCode}, as the model draws clips`,
    );
  }
  if (last === undefined) return given;
  const kept = last / perCode;
  if (!Number.isInteger(kept) || kept > given.frames) {
    throw invalidField(
      `${pointer}/context_frames`,
      `expected at most ${given.frames * perCode}${
        perCode === 1 ? "" : `, a multiple of ${perCode}`
      }`,
    );
  }
  const codes = given.codes.slice(-kept * given.height * given.width);
  return { ...given, frames: kept, codes };
}

/**
 * Returns the parameters of a clip.
 *
 * @param size Size of one frame, in codes.
 * @throws {InvalidFieldsError} If the model draws no clips, or fields
 * contradict each other.
 */
export function clipParams(
  request: GenerateRequest,
  size: GridSize,
  given: CodeClip | undefined,
  { models, pointer }: {
    readonly models: ClipModels;
    readonly pointer: string;
  },
): ClipParams {
  const perCode = codesForm(models, pointer);
  const form = models.language.generation.clips!;
  const { frames = form.frames, fps = form.fps } = request;
  checkFields(request, pointer);
  if (frames > form.maxFrames) {
    throw invalidField(
      `${pointer}/frames`,
      `expected at most ${form.maxFrames}, the model's longest clip; extend a clip by its last frames for more`,
    );
  }
  if (frames % perCode !== 0) {
    throw invalidField(
      `${pointer}/frames`,
      `expected a multiple of ${perCode}, the frames of pixels per frame of codes`,
    );
  }
  if (
    given !== undefined &&
    (given.height !== size.height || given.width !== size.width)
  ) {
    throw invalidField(
      `${pointer}/clip`,
      `expected frames of ${size.height} × ${size.width} codes, as the size fields ask`,
    );
  }
  const total = frames / perCode;
  if (given !== undefined && given.frames >= total) {
    throw invalidField(
      `${pointer}/frames`,
      `expected more than ${given.frames * perCode}, the frames that are given`,
    );
  }
  const clip = { form, frames: total, framesPerCode: perCode, fps };
  return {
    clip,
    size: { height: total * size.height, width: size.width },
    prefix: given && {
      height: given.frames * given.height,
      width: given.width,
      codes: given.codes,
    },
  };
}

/**
 * Returns the frames of pixels per frame of codes of the model's clips.
 *
 * @throws {InvalidFieldsError} If it draws none.
 */
export function codesForm(
  { language, vision }: ClipModels,
  pointer: string,
): number {
  const { clips } = language.generation;
  if (clips === undefined) {
    throw invalidField(
      `${pointer}/frames`,
      `${language.name} draws images only: a checkpoint draws clips if its generation_config.json has video_format, and it was trained on clips; no weights of Emu3 for video are published`,
    );
  }
  return clips.format === "frames" ? 1 : vision.framesPerCode;
}

/** Refuses fields of pictures. */
function checkFields(
  { prefix, keep, strategy }: GenerateRequest,
  pointer: string,
): void {
  const extra = Object.entries({ prefix, keep })
    .find(([, value]) => value !== undefined);
  if (extra !== undefined) {
    throw invalidField(
      `${pointer}/${extra[0]}`,
      "omit it: clip holds the first frames of a clip",
    );
  }
  if (strategy === "zipar") {
    throw invalidField(
      `${pointer}/strategy`,
      "zipar draws images; omit strategy or use jacobi or autoregressive",
    );
  }
}

/**
 * Checks that the file of a drawn clip can be made: nothing is drawn that could
 * not be answered.
 *
 * @throws {InvalidFieldsError} If the clip has too many pixels, or the server
 * cannot make its type.
 */
export function checkDrawnClip(
  { clip, size }: Pick<GenerationParams, "clip" | "size">,
  { clipType }: Pick<WantedFile, "clipType">,
  vision: VisionModel,
  tools: Pick<Tools, "limits" | "encodeVideo">,
): void {
  if (clip === undefined || clipType === undefined) return;
  if (!clipTypes(tools).includes(clipType)) {
    throw invalidField(
      "/output_format",
      "this server makes no MP4, since it has no ffmpeg: use apng, gif or zip",
    );
  }
  const { frames, framesPerCode } = clip;
  const height = size.height / frames;
  const codes = { frames, height, width: size.width, framesPerCode };
  checkClipSize(codes, vision, tools, "/frames");
}
