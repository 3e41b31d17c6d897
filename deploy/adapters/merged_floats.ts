/**
 * The sum of a matrix and the product of its adapter, in fp32.
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
import type { Dtype } from "../../models/graph/dtype.ts";
import type { StoredTensor } from "../../models/graph/weights.ts";

/** Types of weights as safetensors spells them. */
const SPELLED: Readonly<Partial<Record<Dtype, string>>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
};

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
