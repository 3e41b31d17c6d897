/**
 * The activations that a layer keeps between its passes, and their sizes.
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import { LAYER_MATRICES } from "../../../models/tuning/layer_parts.ts";
import { trainedLayers, trainingOf, type TuningMethod } from "../method.ts";

/**
 * Returns the elements for each token of the activations that a layer keeps, by
 * name; none below the first layer that is trained, where no gradient goes.
 */
export function keptWidths(
  config: LanguageConfig,
  method: TuningMethod,
  layer: number,
): Map<string, number> {
  const [first = config.layers] = trainedLayers(config, method);
  if (layer < first) return new Map();
  const { heads: N, keyValueHeads: H, headSize: D } = config;
  const widths = new Map([
    ["query", N * D],
    ["key", H * D],
    ["value", H * D],
    ["attended", N * D],
    ["middle", config.hiddenSize],
    ["mlp.gate_proj", config.intermediateSize],
    ["mlp.up_proj", config.intermediateSize],
  ]);
  for (const name of LAYER_MATRICES) {
    const training = trainingOf(method, layer, name);
    if (training.kind === "lora") widths.set(`${name}.reduced`, training.rank);
  }
  return widths;
}
