/**
 * The examples of inferences by model.
 *
 * @module
 */

import type { FunctionName } from "../../schema/function_names.ts";
import { GRID, PICTURE } from "./examples.ts";

const CODES = {
  name: "codes",
  shape: [GRID.height, GRID.width],
  datatype: "UINT16",
  data: GRID.codes,
};

const EXAMPLES = {
  generate: {
    summary: "A picture, by generate",
    value: {
      inputs: [text("prompt", "three apples")],
      parameters: { seed: 11 },
    },
  },
  caption: {
    summary: "An answer, by caption",
    value: {
      inputs: [CODES, text("question", "What is this?")],
      parameters: { "max_tokens": 16 },
    },
  },
  tokenize: {
    summary: "Codes, by tokenize",
    value: { inputs: [text("image", PICTURE)] },
  },
  detokenize: {
    summary: "A picture, by detokenize",
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
