/**
 * The start of a run at an adapter that exists.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import { layerKey } from "../../models/tuning/layer_parts.ts";
import { adapterNames } from "../../models/tuning/matrix.ts";
import { openAdapter } from "../../lib/loading/adapter_files.ts";
import type { LocatedTensor } from "../../lib/loading/stored_tensor.ts";
import { readFloats } from "../../lib/loading/floats.ts";
import {
  adapterScale,
  trainedLayers,
  type TuningMethod,
} from "../../lib/tuning/method.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";

/** A matrix of parameters, and its values on disk. */
export interface StartValues {
  /** Name of the parameters. */
  readonly name: string;
  /** Values. */
  readonly values: LocatedTensor;
}

/**
 * Returns the values of the adapter in `folder`, for a run that starts at it.
 *
 * @param config Configuration of the base.
 * @throws {CheckpointError} If the adapter cannot be opened, or does not fit
 * the base.
 * @throws {TuningError} If its ranks, weights or matrices are not the run's.
 */
export async function adapterValues(
  folder: string,
  config: LanguageConfig,
  method: TuningMethod & { readonly kind: "lora" },
): Promise<readonly StartValues[]> {
  const { matrices, head } = await openAdapter(folder, config);
  if (head !== undefined) {
    throw new TuningError(
      `the adapter ${folder} has a head of its own: merge it, and tune the result`,
    );
  }
  const found: StartValues[] = [];
  const left = new Set(matrices.keys());
  const scale = adapterScale(method);
  for (const layer of trainedLayers(config, method)) {
    for (const name of method.targets) {
      const key = layerKey(layer, name);
      const matrix = matrices.get(key);
      left.delete(key);
      if (matrix?.rank !== method.rank || matrix.scale !== scale) {
        const has = matrix === undefined
          ? "does not adapt it"
          : `has rank ${matrix.rank} and factor ${matrix.scale} there`;
        throw new TuningError(
          `the run has rank ${method.rank} and factor ${scale} for "${key}", the adapter ${folder} ${has}: give its --rank, --alpha, --rslora, --targets and --layers`,
        );
      }
      const { a, b } = adapterNames(key);
      found.push({ name: a, values: matrix.a }, { name: b, values: matrix.b });
    }
  }
  const [other] = left;
  if (other !== undefined) {
    throw new TuningError(
      `the adapter ${folder} has "${other}", which the run does not tune: name it in --targets and --layers`,
    );
  }
  return found;
}

/** Overwrites parameters with those of an adapter. */
export async function startAt(
  found: readonly StartValues[],
  parameters: Parameters,
): Promise<void> {
  for (const { name, values } of found) {
    const { offset } = parameters.list.find((placed) => placed.name === name)!;
    await parameters.vector("values").write(offset, await readFloats(values));
  }
}
