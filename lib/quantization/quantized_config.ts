/**
 * The configuration of a quantized checkpoint, in the format of
 * compressed-tensors ("pack-quantized"), which other software can also read.
 *
 * ```text
 * {key}_packed   int32 [N, K · bits / 32]   codes from zero up, low bits first
 * {key}_scale    [N, K / blockSize]
 * {key}_shape    int64 [2]                  N, K
 * ```
 *
 * Source:
 * compressed_tensors/compressors/quantized_compressors/pack_quantized.py of
 * neuralmagic/compressed-tensors.
 *
 * @module
 */

import type { TensorChunk } from "./plan.ts";

/** A group of layers with codes of one kind. */
interface Group {
  readonly bits: number;
  readonly blockSize: number;
  /** Last components of the layers' names. */
  readonly layers: Set<string>;
}

/**
 * Returns `config.json` of the quantized checkpoint, from that of its source.
 */
export function quantizedConfig(
  config: Readonly<Record<string, unknown>>,
  chunks: readonly TensorChunk[],
): Record<string, unknown> {
  const groups = new Map<string, Group>();
  for (const { tensor, conversion } of chunks) {
    if (conversion.kind !== "quantize") continue;
    const { bits, blockSize } = conversion;
    const key = `${bits}/${blockSize}`;
    const group = groups.get(key) ?? { bits, blockSize, layers: new Set() };
    group.layers.add(tensor.split(".").at(-2)!);
    groups.set(key, group);
  }
  const entries = [...groups.values()].map((group, i) => [
    `group_${i}`,
    configGroup(group),
  ]);
  return {
    ...config,
    quantization_config: {
      quant_method: "compressed-tensors",
      format: "pack-quantized",
      quantization_status: "compressed",
      config_groups: Object.fromEntries(entries),
      ignore: ["re:.*vqmodel.*"],
    },
  };
}

function configGroup({ bits, blockSize, layers }: Group): unknown {
  return {
    targets: [...layers].map((layer) => `re:.*${layer}$`),
    weights: {
      num_bits: bits,
      type: "int",
      symmetric: true,
      strategy: "group",
      group_size: blockSize,
      dynamic: false,
    },
    input_activations: null,
    output_activations: null,
  };
}
