/**
 * The `generate` model: prompt → pictures and codes.
 *
 * @module
 */

import { answeredName } from "../../inference/adapters.ts";
import { isLossless } from "../../../lib/drawing/strategy.ts";
import { startGeneration } from "../../inference/generation.ts";
import type { ImageGenerators } from "../../models/ports.ts";
import { pictureFile } from "../../inference/wanted_file.ts";
import { GenerateRequest } from "../../schema/generate.ts";
import { filesTensor, gridsTensor } from "./code_tensors.ts";
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

/** Returns the model that generates pictures. */
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
      const request = nativeFields(GenerateRequest, OPTIONS, inference, {
        prompt,
      });
      // Codes alone need no vision decoder.
      const { file: type } = pictureFile(request);
      const file = inference.wants("image") ? type : undefined;
      const wanted = { file, preview: false } as const;
      const run = startGeneration(generators, request, wanted, inference.call);
      const { pictures } = await run.finish();
      const { params, models } = run.task;
      const files = pictures.flatMap(({ file }) => file?.bytes ?? []);
      const outputs: NamedTensor[] = [
        ["image", filesTensor(files)],
        ["codes", gridsTensor(pictures.map(({ grid }) => grid))],
      ];
      const parameters = {
        model: answeredName(models, params.adapter),
        seed: params.seed,
        strategy: params.strategy.name,
        lossless: isLossless(params.strategy),
      };
      return { outputs, parameters };
    },
  };
}
