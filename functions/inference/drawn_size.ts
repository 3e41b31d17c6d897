/**
 * The check that a model's context holds the picture that is asked for: what is
 * too long is then the picture, and not its prompt.
 *
 * @module
 */

import { gridLength, type GridSize } from "../../lib/grid.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import type { VisionModel } from "../models/ports.ts";
import { invalidField } from "../http/errors/errors.ts";
import type { WishedScene } from "./generation_params.ts";

/** The models that would draw it. */
export interface DrawingModels {
  /** Its context, and the area that it was trained on. */
  readonly language: {
    readonly config: Pick<
      LanguageModel["config"],
      "imageArea" | "maxPositions"
    >;
  };
  /** Pixels of a code. */
  readonly vision: Pick<VisionModel, "pixelsPerCode">;
}

/**
 * Refuses a picture that does not fit into the context, whatever its prompt.
 *
 * @throws {InvalidFieldsError} Naming the field that asks for the size.
 */
export function checkDrawnSize(
  request: Pick<WishedScene, "height" | "image_area">,
  size: GridSize,
  { language: { config }, vision: { pixelsPerCode } }: DrawingModels,
): void {
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
