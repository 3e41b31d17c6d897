/**
 * The writer of small LoRA adapters in PEFT's form, with weights by a formula.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import {
  LAYER_MATRICES,
  layerKey,
  type LayerMatrix,
  matrixShape,
} from "../../models/tuning/layer_parts.ts";
import { uniformAt } from "../../lib/sampling/random.ts";
import { safetensorsBytes } from "./write_safetensors.ts";
import type { Tensor } from "./safetensors.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";

/** Options of an adapter. */
export interface AdapterFixture {
  /** Seed of its weights. */
  readonly seed: number;
  /** Rank of each of its matrices. */
  readonly rank?: number;
  /** Matrices that it adapts; all by default. */
  readonly targets?: readonly LayerMatrix[];
  /** Prefix of its modules' names. */
  readonly prefix?: string;
  /** Greatest weight; 0.2 by default. */
  readonly size?: number;
  /** True if it brings a head. */
  readonly head?: boolean;
  /** Fields that replace those of its settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Returns the tensors of an adapter by name. */
export function adapterTensors(
  config: LanguageConfig,
  {
    seed,
    rank = 4,
    targets = LAYER_MATRICES,
    prefix = "base_model.model.",
    size = 0.2,
    head = false,
  }: AdapterFixture,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, shape: readonly [number, number]) => {
    const key = { seed, stream: tensors.size };
    const data = Float32Array.from(
      { length: shape[0] * shape[1] },
      (_, i) => (uniformAt(key, i) * 2 - 1) * size,
    );
    tensors.set(name, { dtype: "F32", shape, data });
  };
  for (let layer = 0; layer < config.layers; layer++) {
    for (const target of targets) {
      const [N, K] = matrixShape(config, target);
      const module = `${prefix}${layerKey(layer, target)}`;
      add(`${module}.lora_A.weight`, [rank, K]);
      add(`${module}.lora_B.weight`, [N, rank]);
    }
  }
  if (head) {
    const { vocabularySize, hiddenSize } = config;
    add("base_model.model.lm_head.weight", [vocabularySize, hiddenSize]);
  }
  return tensors;
}

/** Returns the settings of an adapter in PEFT's form. */
export function adapterSettings(
  { rank = 4, targets = LAYER_MATRICES, head, settings }: AdapterFixture,
): Readonly<Record<string, unknown>> {
  return {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "base_model_name_or_path": "tiny",
    "r": rank,
    "lora_alpha": 2 * rank,
    "target_modules": targets.map((target) => target.split(".").at(-1)),
    ...(head && { "modules_to_save": ["lm_head"] }),
    ...settings,
  };
}

/** Writes an adapter into a folder of its own. */
export function writeAdapter(
  config: LanguageConfig,
  fixture: AdapterFixture,
  tensors: ReadonlyMap<string, Tensor> = adapterTensors(config, fixture),
): TemporaryFolder {
  const folder = temporaryFolder();
  folder.write(
    "adapter_config.json",
    JSON.stringify(adapterSettings(fixture)),
  );
  folder.write("adapter_model.safetensors", safetensorsBytes(tensors));
  return folder;
}
