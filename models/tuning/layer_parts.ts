/**
 * The parts of a layer: its matrices and norms, by the names of the original
 * layout.
 *
 * @module
 */

import { elementCount } from "../graph/dtype.ts";
import type { LanguageConfig } from "../config/language_config.ts";

/** The matrices of a layer, in the order of the forward pass. */
export const LAYER_MATRICES = [
  "self_attn.q_proj",
  "self_attn.k_proj",
  "self_attn.v_proj",
  "self_attn.o_proj",
  "mlp.gate_proj",
  "mlp.up_proj",
  "mlp.down_proj",
] as const;

/** The name of a matrix. */
export type LayerMatrix = typeof LAYER_MATRICES[number];

/** The norms of a layer: before attention, and before the MLP. */
export const LAYER_NORMS = [
  "input_layernorm",
  "post_attention_layernorm",
] as const;

/** Returns the sides of a matrix, `[out, in]`. */
export function matrixShape(
  config: LanguageConfig,
  name: LayerMatrix,
): readonly [number, number] {
  const {
    hiddenSize: E,
    intermediateSize: F,
    heads: N,
    keyValueHeads: H,
    headSize: D,
  } = config;
  switch (name) {
    case "self_attn.q_proj":
      return [N * D, E];
    case "self_attn.k_proj":
    case "self_attn.v_proj":
      return [H * D, E];
    case "self_attn.o_proj":
      return [E, N * D];
    case "mlp.gate_proj":
    case "mlp.up_proj":
      return [F, E];
    case "mlp.down_proj":
      return [E, F];
    default:
      throw name satisfies never;
  }
}

/** Returns the key of a part of a layer, without `.weight`. */
export function layerKey(layer: number, part: string): string {
  return `model.layers.${layer}.${part}`;
}

/** Returns the number of weights of a layer's matrices. */
export function matrixWeightCount(config: LanguageConfig): number {
  return LAYER_MATRICES.reduce(
    (sum, name) => sum + elementCount(matrixShape(config, name)),
    0,
  );
}
