/**
 * The checkpoint that has every tensor and records the requests for them.
 *
 * @module
 */

import {
  type Dtype,
  DTYPE_BYTES,
  elementCount,
} from "../../models/graph/dtype.ts";
import type { StoredTensor, Weights } from "../../models/graph/weights.ts";

/** Tensors of one dtype, laid out in the order of their requests. */
export class RecordedWeights implements Weights {
  readonly #dtype: Dtype;
  readonly #stored = new Map<string, StoredTensor>();
  #end = 0;

  constructor(dtype: Dtype = "float32") {
    this.#dtype = dtype;
  }

  /** Requested tensors, by key. */
  get requested(): ReadonlyMap<string, StoredTensor> {
    return this.#stored;
  }

  find(key: string, shape: readonly number[]): StoredTensor {
    const known = this.#stored.get(key);
    if (known !== undefined) return known;
    const length = elementCount(shape) * DTYPE_BYTES[this.#dtype];
    const stored = {
      dtype: this.#dtype,
      shape,
      location: "made/up.safetensors",
      offset: this.#end,
      length,
    };
    this.#end += length;
    this.#stored.set(key, stored);
    return stored;
  }

  findQuantized(): undefined {
    return undefined;
  }
}
