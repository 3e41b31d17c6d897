/**
 * The `caption` model: picture and question → text.
 *
 * @module
 */

import type { CodeGrid } from "../../../lib/grid.ts";
import { startCaptioning } from "../../inference/captioning.ts";
import { isClip } from "../../http/grid_json.ts";
import { checkGridPixels } from "../../inference/image_limit.ts";
import type { Captioners, VisionModel } from "../../models/ports.ts";
import { encodePicture } from "../../inference/encode_image.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { CaptionRequest } from "../../schema/caption.ts";
import { timedGrids } from "../../inference/image_inputs.ts";
import { codesInput, textTensor } from "./code_tensors.ts";
import {
  type Inference,
  MODEL_VERSION,
  nativeFields,
  pictureInput,
  type ServedModel,
  textInput,
} from "./served_model.ts";

/** Fields that tensors carry instead of parameters, and those of videos. */
const NOT_OPTIONS: ReadonlySet<string> = new Set([
  "image",
  "images",
  "grid",
  "grids",
  "question",
  "video_frames",
  "start",
  "end",
]);

const OPTIONS = Object.keys(CaptionRequest.entries)
  .filter((name) => !NOT_OPTIONS.has(name));

/** Returns the model that answers questions. */
export function captionModel(captioners: Captioners): ServedModel {
  return {
    name: "caption",
    version: MODEL_VERSION,
    inputs: [
      { name: "image", datatype: "BYTES", shape: [1], optional: true },
      { name: "codes", datatype: "UINT16", shape: [-1, -1], optional: true },
      { name: "question", datatype: "BYTES", shape: [1], optional: true },
    ],
    outputs: [{ name: "text", datatype: "BYTES", shape: [1] }],
    checkReady: () => void captioners.captioner(undefined),
    infer: async (inference) => {
      const question = textInput(inference, "question");
      const fields = nativeFields(CaptionRequest, OPTIONS, inference, {
        question,
      });
      const { vision } = captioners.captioner(fields.model);
      const pictures = await timedGrids(async () => [
        await askedGrid(captioners, vision, inference, fields.decode),
      ]);
      const { call } = inference;
      const answered = await startCaptioning(captioners, fields, pictures, call)
        .finish();
      return {
        outputs: [["text", textTensor(answered.text)]],
        parameters: {
          model: answered.model,
          "finish_reason": answered.finish_reason,
        },
      };
    },
  };
}

async function askedGrid(
  captioners: Captioners,
  vision: VisionModel,
  inference: Inference,
  decode: CaptionRequest["decode"],
): Promise<CodeGrid> {
  const { inputs, call } = inference;
  if (inputs.has("image") === inputs.has("codes")) {
    throw invalidField("/inputs", "expected either image or codes");
  }
  const codes = codesInput(inference, vision.codebookSize);
  if (codes === undefined) {
    using held = new DisposableStack();
    const bytes = await pictureInput(inference, captioners, held);
    return await encodePicture(captioners, bytes!, vision, { decode, call });
  }
  if (isClip(codes)) throw invalidField("/codes", "expected the shape [H, W]");
  checkGridPixels(codes, vision, captioners.limits);
  return codes;
}
