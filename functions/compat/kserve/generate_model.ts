/**
 * The `generate` model: prompt → pictures or a clip, and codes.
 *
 * @module
 */

import { answeredName } from "../../inference/adapters.ts";
import { isLossless } from "../../../lib/drawing/strategy.ts";
import { startGeneration } from "../../inference/generation.ts";
import type { ImageGenerators } from "../../models/ports.ts";
import { invalidField } from "../../http/errors/errors.ts";
import { readyRequest } from "../../inference/clips/clip_context.ts";
import { asksForClip } from "../../inference/clips/clip_params.ts";
import { formatFile } from "../../inference/wanted_file.ts";
import { GenerateRequest } from "../../schema/generate.ts";
import { codesTensor, filesTensor, gridsTensor } from "./code_tensors.ts";
import {
  MODEL_VERSION,
  nativeFields,
  type ServedModel,
  textInput,
} from "./served_model.ts";
import type { NamedTensor } from "./tensor.ts";

/** Fields that a tensor carries, or that only streams and JSON support. */
const NOT_OPTIONS: ReadonlySet<string> = new Set([
  "prompt",
  "preview",
  "logprobs",
]);

const OPTIONS = Object.keys(GenerateRequest.entries)
  .filter((name) => !NOT_OPTIONS.has(name));

/** Returns the model that generates pictures and clips. */
export function generateModel(generators: ImageGenerators): ServedModel {
  return {
    name: "generate",
    version: MODEL_VERSION,
    inputs: [{ name: "prompt", datatype: "BYTES", shape: [1] }],
    outputs: [
      { name: "image", datatype: "BYTES", shape: [-1] },
      { name: "codes", datatype: "UINT16", shape: [-1, -1] },
    ],
    checkReady: () => void generators.imageGenerator(undefined),
    infer: async (inference) => {
      const prompt = textInput(inference, "prompt");
      const fields = nativeFields(GenerateRequest, OPTIONS, inference, {
        prompt,
      });
      if (asksForClip(fields) && fields.n > 1) {
        throw invalidField("/n", "expected 1: codes hold a single clip");
      }
      const { call } = inference;
      // Codes alone need no vision decoder.
      const file = formatFile(fields);
      const wanted = {
        ...(inference.wants("image") ? file : { file: undefined }),
        preview: false,
      };
      const request = await readyRequest(fields, generators, call);
      const run = startGeneration(generators, request, wanted, call);
      const { pictures, clips: [clip] } = await run.finish();
      const { params, models } = run.task;
      const files = [...pictures, ...clip === undefined ? [] : [clip]]
        .flatMap(({ file }) => file?.bytes ?? []);
      const outputs: NamedTensor[] = [
        ["image", filesTensor(files)],
        [
          "codes",
          clip === undefined
            ? gridsTensor(pictures.map(({ grid }) => grid))
            : codesTensor(clip.codes),
        ],
      ];
      const parameters = {
        ...(params.clip && {
          fps: params.clip.fps,
          "frames_per_code": params.clip.framesPerCode,
        }),
        model: answeredName(models, params.adapter),
        seed: params.seed,
        strategy: params.strategy.name,
        lossless: isLossless(params.strategy),
      };
      return { outputs, parameters };
    },
  };
}
