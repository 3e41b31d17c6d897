/**
 * The clip of a scoring run: given codes, or pictures of its frames → codes in
 * the form that the model draws.
 *
 * @module
 */

import type { DrawnClip } from "../../../lib/clip_layout.ts";
import type { CodeClip, CodeGrid } from "../../../lib/grid.ts";
import { invalidField, InvalidFieldsError } from "../../http/errors/errors.ts";
import { listBytes, type Upload } from "../../http/upload.ts";
import type { ModelPair, Tools } from "../../models/ports.ts";
import type { ScoreRequest } from "../../schema/score.ts";
import { checkOneWay, givenWays } from "../image_inputs.ts";
import { checkFrameCount } from "../frame_limit.ts";
import type { PictureCall } from "../pixel_budget.ts";
import { checkClipSize } from "./clip_files.ts";
import { codesForm, givenFrames } from "./clip_params.ts";
import { encodeClip } from "./encode_clip.ts";

/** A clip to score. */
export interface ScoredClip {
  /** Codes of all frames, one below the other. */
  readonly grids: readonly [CodeGrid];
  /** Form and length; undefined for a single still, which is a picture. */
  readonly clip: DrawnClip | undefined;
  /** Encoding time in milliseconds. */
  readonly visionMs: number;
}

/** Returns true if a body holds a clip. */
export function holdsClip(
  { clip, frames }: Pick<ScoreRequest, "clip" | "frames">,
): boolean {
  return clip !== undefined || frames !== undefined;
}

/**
 * Checks that a body holds one thing to score, and a rate only with a clip.
 *
 * @throws {InvalidFieldsError} If it does not.
 */
export function checkScored(upload: Upload<ScoreRequest>): void {
  if (holdsClip(upload.fields)) {
    checkOneClip(upload);
    return;
  }
  checkOneWay(upload);
  if (upload.fields.fps !== undefined) {
    throw invalidField("/fps", "omit it: only clips have a frame rate");
  }
}

function checkOneClip(upload: Upload<ScoreRequest>): void {
  const { clip, frames } = upload.fields;
  const both = clip !== undefined && frames !== undefined;
  if (!both && givenWays(upload).length === 0) return;
  throw new InvalidFieldsError([{
    pointer: clip === undefined ? "/frames" : "/clip",
    detail: "expected exactly one of image, grid, clip and frames",
  }]);
}

/**
 * Returns the clip of a body.
 *
 * @throws {InvalidFieldsError} If the model draws no clips, or others.
 * @throws {ImageSizeError} If frames differ in size.
 * @throws {OverloadedError} If too many pictures wait.
 */
export async function scoredClip(
  fields: ScoreRequest,
  models: ModelPair,
  tools: Tools,
  call: PictureCall,
): Promise<ScoredClip> {
  const framesPerCode = codesForm(models, "");
  const stills = framesPerCode === 1;
  const { codes, visionMs } = await codesOf(fields, models, tools, {
    stills,
    call,
  });
  const { frames, height, width } = codes;
  const form = models.language.generation.clips!;
  const clip = { form, frames, framesPerCode, fps: fields.fps ?? form.fps };
  return {
    grids: [{ height: frames * height, width, codes: codes.codes }],
    clip: frames * framesPerCode === 1 ? undefined : clip,
    visionMs,
  };
}

async function codesOf(
  { clip, frames = [], decode }: ScoreRequest,
  models: ModelPair,
  tools: Tools,
  { stills, call }: { readonly stills: boolean; readonly call: PictureCall },
): Promise<{ readonly codes: CodeClip; readonly visionMs: number }> {
  const given = givenFrames({ clip }, models, "");
  if (given !== undefined) {
    checkClipSize(given, models.vision, tools);
    return { codes: given, visionMs: 0 };
  }
  checkFrameCount(frames.length, "/frames", tools.limits);
  using held = new DisposableStack();
  const files = await listBytes(tools, frames, "/frames", { call, held });
  const options = {
    decode,
    resize: "smart",
    animation: files.length === 1,
    pad: false,
    stills,
  } as const;
  return await encodeClip(tools, files, models.vision, { options, call });
}
