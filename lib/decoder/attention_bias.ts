/**
 * The attention bias of tokens whose positions are not consecutive.
 *
 * @module
 */

import type { CacheDtype, ComputeDtype } from "../runtime/provider.ts";

/**
 * The bias of a masked token, whose weight after a softmax is zero. Not −∞,
 * because a block of nothing else would yield NaN; and in the range of half
 * floats.
 */
const UNSEEN = -60_000;
/** The bits of the same bias, by type. */
const UNSEEN_BITS = {
  float16: new Uint16Array(Float16Array.of(UNSEEN).buffer)[0]!,
  // The upper half of fp32.
  bfloat16: new Uint32Array(Float32Array.of(UNSEEN).buffer)[0]! >>> 16,
} as const;

/** Returns the type of the biases for a cache of `cacheDtype`. */
export function biasDtype(
  cacheDtype: CacheDtype,
  computeDtype: ComputeDtype,
): ComputeDtype {
  return cacheDtype === "int8" ? computeDtype : cacheDtype;
}

/**
 * Returns `[1, 1, S, total]`: zero for each token that a token attends to, a
 * large negative number for the others.
 *
 * @param positionIds Position ids of each token that the slot will hold, the
 * held ones first.
 * @param held Number of tokens that the slot holds.
 * @throws {RangeError} If position ids of new tokens do not ascend.
 */
export function attentionBias(
  positionIds: Int32Array,
  held: number,
  dtype: ComputeDtype,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  const total = positionIds.length;
  const count = total - held;
  const unseen = dtype === "float32" ? UNSEEN : UNSEEN_BITS[dtype];
  const bias = dtype === "float32"
    ? new Float32Array(count * total)
    : new Uint16Array(count * total);
  for (let query = 0; query < count; query++) {
    const positionId = positionIds[held + query]!;
    if (query > 0 && positionId <= positionIds[held + query - 1]!) {
      throw new RangeError(
        "Cannot set position ids: the ids of a run must ascend",
      );
    }
    for (let key = 0; key < total; key++) {
      if (positionIds[key]! > positionId) bias[query * total + key] = unseen;
    }
  }
  return bias;
}
