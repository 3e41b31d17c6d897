/**
 * The examples of inferences by model.
 *
 * @module
 */

import type { FunctionName } from "../../schema/common.ts";
import { GRID, PICTURE } from "./fields.ts";

const CODES = {
  name: "codes",
  shape: [GRID.height, GRID.width],
  datatype: "UINT16",
  data: GRID.codes,
};

const EXAMPLES = {
  generate: {
    summary: "Generate an image",
    value: {
      inputs: [text("prompt", "three apples")],
      parameters: { seed: 11 },
    },
  },
  caption: {
    summary: "Answer a question",
    value: {
      inputs: [CODES, text("question", "What is this?")],
      parameters: { "max_tokens": 16 },
    },
  },
  tokenize: {
    summary: "Encode an image as codes",
    value: { inputs: [text("image", PICTURE)] },
  },
  detokenize: {
    summary: "Decode codes to an image",
    value: { inputs: [CODES] },
  },
} as const;

/** Returns the examples of `models`. */
export function inferExamples(
  models: readonly FunctionName[],
): Partial<typeof EXAMPLES> {
  return Object.fromEntries(models.map((name) => [name, EXAMPLES[name]]));
}

function text(name: string, value: string) {
  return { name, shape: [1], datatype: "BYTES", data: [value] };
}
