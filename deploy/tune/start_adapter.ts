/**
 * The start of a run at an adapter that exists.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { layerKey } from "../../models/tuning/layer_parts.ts";
import { adapterNames } from "../../models/tuning/matrix.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import { readFloats } from "../../lib/loading/floats.ts";
import { adapterScale, type TuningMethod } from "../../lib/tuning/method.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";

/**
 * Overwrites the parameters of an adapter with those in `folder`.
 *
 * @param config Configuration of the base.
 * @throws {CheckpointError} If the adapter cannot be opened, or does not fit
 * the base.
 * @throws {TuningError} If its ranks, weights or matrices are not the run's.
 */
export async function startAtAdapter(
  folder: string,
  config: LanguageConfig,
  method: TuningMethod & { readonly kind: "lora" },
  parameters: Parameters,
): Promise<void> {
  const { matrices, head } = await openAdapter(folder, config);
  if (head !== undefined) {
    throw new TuningError(
      `the adapter ${folder} has a head of its own: merge it, and tune the result`,
    );
  }
  const left = new Set(matrices.keys());
  const scale = adapterScale(method);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const name of method.targets) {
      const key = layerKey(layer, name);
      const matrix = matrices.get(key);
      left.delete(key);
      if (matrix?.rank !== method.rank || matrix.scale !== scale) {
        const has = matrix === undefined
          ? "does not adapt it"
          : `has rank ${matrix.rank} and factor ${matrix.scale} there`;
        throw new TuningError(
          `the run has rank ${method.rank} and factor ${scale} for "${key}", the adapter ${folder} ${has}: give its --rank, --alpha, --rslora and --targets`,
        );
      }
      const { a, b } = adapterNames(key);
      await write(parameters, a, await readFloats(matrix.a));
      await write(parameters, b, await readFloats(matrix.b));
    }
  }
  const [other] = left;
  if (other !== undefined) {
    throw new TuningError(
      `the adapter ${folder} has "${other}", which the run does not tune: name it in --targets`,
    );
  }
}

async function write(
  parameters: Parameters,
  name: string,
  values: Float32Array<ArrayBuffer>,
): Promise<void> {
  const { offset } = parameters.list.find((placed) => placed.name === name)!;
  await parameters.vector("values").write(offset, values);
}
