/**
 * The files of an adapter in the form of PEFT.
 *
 * ```text
 * adapter_config.json         rank, weight, target modules, base model
 * adapter_model.safetensors   base_model.model.model.layers.N.….lora_A.weight
 * ```
 *
 * Source: huggingface/peft, `save_pretrained` of a LoRA model.
 *
 * @module
 */

import { join } from "node:path";
import {
  ADAPTER_CONFIG_FILE,
  ADAPTER_WEIGHTS_FILE,
} from "../../lib/loading/adapter_files.ts";
import { HEAD_MATRIX } from "../../models/tuning/head.ts";
import type { TuningMethod } from "../../lib/tuning/method.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import {
  floatTensor,
  writeSafetensors,
  writeText,
} from "./safetensors_writer.ts";

/** Prefix of PEFT's names of parameters. */
const PREFIX = "base_model.model.";

/**
 * Writes an adapter into `folder`, each file whole or not at all.
 *
 * @param base Checkpoint that it belongs to, as PEFT notes it.
 * @throws {DiskError} If the disk refuses.
 */
export async function writeAdapter(
  folder: string,
  parameters: Parameters,
  method: TuningMethod & { readonly kind: "lora" },
  base: string,
): Promise<void> {
  const config = adapterConfig(method, base);
  const values = await parameters.values();
  const tensors = parameters.list.map(({ name, shape }) =>
    floatTensor(`${PREFIX}${name}`, shape, values.get(name)!)
  );
  const path = join(folder, ADAPTER_WEIGHTS_FILE);
  await writeSafetensors(path, tensors, { format: "pt" });
  await writeText(
    join(folder, ADAPTER_CONFIG_FILE),
    `${JSON.stringify(config, null, 2)}\n`,
  );
}

/** Returns the settings of an adapter, in PEFT's names. */
export function adapterConfig(
  method: TuningMethod & { readonly kind: "lora" },
  base: string,
): Readonly<Record<string, unknown>> {
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base,
    r: method.rank,
    lora_alpha: method.alpha,
    lora_dropout: 0,
    use_rslora: method.stabilized,
    use_dora: false,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: method.head ? [HEAD_MATRIX] : null,
    rank_pattern: {},
    alpha_pattern: {},
    layers_to_transform: method.layers ?? null,
    target_modules: method.targets.map((name) => name.split(".").at(-1)),
  };
}
