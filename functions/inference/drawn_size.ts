/**
 * The check that a model's context holds the requested picture: afterwards,
 * only the prompt can be too long.
 *
 * @module
 */

import type { DrawnClip } from "../../lib/clip_layout.ts";
import type { GenerationParams } from "../../lib/emu3.ts";
import { gridLength, type GridSize } from "../../lib/grid.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import type { VisionModel } from "../models/ports.ts";
import { invalidField } from "../http/errors/errors.ts";
import type { GenerateRequest } from "../schema/generate.ts";

/** The models of a generation. */
export interface GenerationModels {
  /** Language model: its context, and its training area. */
  readonly language: {
    readonly config: Pick<
      LanguageModel["config"],
      "imageArea" | "maxPositions"
    >;
  };
  /** Vision tokenizer: its pixels per code. */
  readonly vision: Pick<VisionModel, "pixelsPerCode">;
}

/**
 * Refuses a picture that does not fit into the context with any prompt.
 *
 * @throws {InvalidFieldsError} If it does not fit; names the field that sets
 * the size.
 */
export function checkDrawnSize(
  request: Pick<GenerateRequest, "height" | "image_area">,
  { size, clip }: Pick<GenerationParams, "size" | "clip">,
  { language: { config }, vision: { pixelsPerCode } }: GenerationModels,
): void {
  if (clip !== undefined) {
    checkClipLength(size, clip, config.maxPositions);
    return;
  }
  const tokens = gridLength(size);
  if (tokens < config.maxPositions) return;
  const field = request.height !== undefined
    ? "height"
    : request.image_area !== undefined
    ? "image_area"
    : "ratio";
  const { height, width } = size;
  const sides = [height, width].map((side) => side * pixelsPerCode);
  const side = Math.sqrt(config.imageArea);
  throw invalidField(
    `/${field}`,
    `a picture of ${
      sides.join(" × ")
    } pixels is ${tokens} tokens, and the context holds ${config.maxPositions}: ask for a smaller one, of about ${config.imageArea} pixels as the model was trained${
      Number.isInteger(side) ? `, such as ${side} × ${side}` : ""
    }`,
  );
}

/** Refuses a clip that does not fit into the context with any prompt. */
function checkClipLength(
  { height, width }: GridSize,
  { form, frames, framesPerCode }: DrawnClip,
  maxPositions: number,
): void {
  const row = form.format === "paper" ? width + 1 : width;
  const frameHeight = height / frames;
  // EOF; the tokenizers of Emu3 split digits, so that a character of the size
  // is a token between BOI and IMG, and EOI ends the frame before.
  const between = form.interleaved ? `1*${frameHeight}*${width}`.length + 3 : 0;
  const frameTokens = frameHeight * row + 1 + between;
  const tokens = frames * frameTokens + 1;
  if (tokens < maxPositions) return;
  const most = Math.floor((maxPositions - 2) / frameTokens) * framesPerCode;
  throw invalidField(
    "/frames",
    `${
      frames * framesPerCode
    } frames are ${tokens} tokens, and the context holds ${maxPositions}: ask for ${
      most > 1 ? `at most ${most}, or ` : ""
    }smaller ones; extend a clip by its last frames for more`,
  );
}
