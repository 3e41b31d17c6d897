/**
 * The values of a tuned model: those that were trained, or a base with its
 * adapter added.
 *
 * ```text
 * W' = W + s · B · A
 * ```
 *
 * @module
 */

import { join } from "node:path";
import type { LanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { readFloats } from "../../lib/loading/floats.ts";
import {
  adapterScale,
  HEAD_KEY,
  type TuningMethod,
} from "../../lib/tuning/method.ts";
import type { Parameters } from "../../lib/tuning/parameters.ts";
import {
  layerKey,
  type LayerMatrix,
  matrixShape,
} from "../../models/tuning/layer_parts.ts";
import { adapterNames } from "../../models/tuning/matrix.ts";
import type { Dtype } from "../../models/graph/dtype.ts";
import type { StoredTensor } from "../../models/graph/weights.ts";
import type { Replacement } from "./tuned_checkpoint.ts";

/** Types of weights as safetensors spells them. */
const SPELLED: Readonly<Partial<Record<Dtype, string>>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
};

/** The values of a tuned model, and the keys that have other ones. */
export interface MergedValues {
  /** Original keys of tensors that differ from the base. */
  readonly keys: readonly string[];
  /** Values by key. */
  readonly replacement: Replacement;
}

/** The place of a matrix with an adapter. */
interface AdaptedMatrix {
  readonly layer: number;
  readonly matrix: LayerMatrix;
}

/** Returns the values of a model with its trained parameters. */
export async function mergedValues(
  base: LanguageCheckpoint,
  parameters: Parameters,
  method: TuningMethod,
): Promise<MergedValues> {
  const values = await parameters.values();
  if (method.kind === "full") {
    return {
      keys: [...values.keys()],
      replacement: (key) => Promise.resolve(values.get(key)),
    };
  }
  const scale = adapterScale(method);
  const adapted: ReadonlyMap<string, AdaptedMatrix> = new Map(
    Array.from({ length: base.config.layers }, (_, layer) => layer).flatMap(
      (layer) =>
        method.targets.map((matrix) =>
          [`${layerKey(layer, matrix)}.weight`, { layer, matrix }] as const
        ),
    ),
  );
  return {
    keys: [...adapted.keys(), ...method.head ? [HEAD_KEY] : []],
    replacement: async (key) => {
      if (key === HEAD_KEY) return values.get(key);
      const place = adapted.get(key);
      if (place === undefined) return undefined;
      const { layer, matrix } = place;
      const shape = matrixShape(base.config, matrix);
      const weight = await storedFloats(base, base.weights.find(key, shape));
      const { a, b } = adapterNames(layerKey(layer, matrix));
      const sides = { shape, scale };
      addProduct(weight, values.get(b)!, values.get(a)!, sides);
      return weight;
    },
  };
}

/** Returns a copy of a tensor of floats beside a checkpoint, in fp32. */
export async function storedFloats(
  { weightFolder }: Pick<LanguageCheckpoint, "weightFolder">,
  { location, offset, length, shape, dtype }: StoredTensor,
): Promise<Float32Array<ArrayBuffer>> {
  const path = join(weightFolder, location);
  return await readFloats({
    path,
    offset,
    length,
    shape,
    dtype: SPELLED[dtype]!,
  });
}

/**
 * Adds `scale · B · A` to a matrix.
 *
 * @param weight Matrix `[N, K]`. Overwritten.
 * @param b `[N, r]`
 * @param a `[r, K]`
 */
export function addProduct(
  weight: Float32Array,
  b: Float32Array,
  a: Float32Array,
  { shape: [N, K], scale }: {
    readonly shape: readonly [number, number];
    readonly scale: number;
  },
): void {
  const rank = a.length / K;
  for (let n = 0; n < N; n++) {
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[n * rank + r]!;
      for (let k = 0; k < K; k++) {
        weight[n * K + k]! += factor * a[r * K + k]!;
      }
    }
  }
}
