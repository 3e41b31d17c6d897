/**
 * The `detokenize` model: codes → picture, codes of a clip → its frames.
 *
 * @module
 */

import type { RgbImage } from "../../../lib/image/image.ts";
import { checkClipSize } from "../../inference/clips/clip_files.ts";
import { isClip, stillsOf } from "../../http/grid_json.ts";
import { checkGridSize } from "../../inference/image_limit.ts";
import type { Tokenizers } from "../../models/ports.ts";
import { acquireClip, acquirePicture } from "../../inference/render.ts";
import { BesideBytes } from "../../schema/detokenize.ts";
import { codesInput, filesTensor } from "./code_tensors.ts";
import {
  MODEL_VERSION,
  nativeFields,
  type ServedModel,
} from "./served_model.ts";

const OPTIONS = Object.keys(BesideBytes.entries);

/** Returns the model that decodes codes to pictures. */
export function detokenizeModel(tokenizers: Tokenizers): ServedModel {
  return {
    name: "detokenize",
    version: MODEL_VERSION,
    inputs: [{ name: "codes", datatype: "UINT16", shape: [-1, -1] }],
    outputs: [{ name: "image", datatype: "BYTES", shape: [-1] }],
    checkReady: () => void tokenizers.vision(undefined),
    infer: async (inference) => {
      const { call } = inference;
      const { signal, observer } = call;
      const fields = nativeFields(BesideBytes, OPTIONS, inference, {});
      const vision = tokenizers.vision(fields.model);
      const sent = codesInput(inference, vision.codebookSize)!;
      const stills = isClip(sent) && stillsOf(
        fields.frames_per_code,
        vision.framesPerCode,
        "/frames_per_code",
      );
      const codes = { ...sent, ...stills };
      checkGridSize(codes, vision, tokenizers.limits);
      if (isClip(codes)) checkClipSize(codes, vision, tokenizers);
      using _share = isClip(codes)
        ? await acquireClip(tokenizers, codes, vision, call)
        : await acquirePicture(tokenizers, codes, vision, { call });
      const frames: AsyncIterable<RgbImage> | Iterable<RgbImage> = isClip(codes)
        ? vision.decodeClip(codes, signal, call.caller)
        : [await vision.decode(codes, signal, call.caller)];
      const files = await Array.fromAsync(frames, async (frame) => {
        const png = await tokenizers.codec.encodePng(frame, {}, call);
        return new Uint8Array(png);
      });
      observer?.finished?.({ tokens: codes.codes.length });
      return {
        outputs: [["image", filesTensor(files)]],
        parameters: { model: vision.checkpoint.name },
      };
    },
  };
}
