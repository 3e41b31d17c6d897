/**
 * The reader of outputs whose shape is known only after a run.
 *
 * Boundary file: reads native memory.
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import type { OrtApi, Pointer } from "./api.ts";

/** A copy of an output. */
export interface OutputCopy {
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** Elements of the output. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** Copies the outputs of a binding's last run; all must be float32. */
export function copyOutputs(api: OrtApi, binding: Pointer): OutputCopy[] {
  const allocator = api.create("GetAllocatorWithDefaultOptions");
  const list = new BigUint64Array(1);
  const count = new BigUint64Array(1);
  api.call("GetBoundOutputValues", binding, allocator, list, count);
  const array = Deno.UnsafePointer.create(list[0]!);
  if (array === null) return [];
  const view = new Deno.UnsafePointerView(array);
  api.adopt("ReleaseValue", Number(count[0]));
  const copies = Array.from({ length: Number(count[0]) }, (_, i) => {
    const value = view.getPointer(i * BigUint64Array.BYTES_PER_ELEMENT)!;
    const copy = copyValue(api, value);
    api.release("ReleaseValue", value);
    return copy;
  });
  api.call("AllocatorFree", allocator, array);
  return copies;
}

function copyValue(api: OrtApi, value: Pointer): OutputCopy {
  const info = api.create("GetTensorTypeAndShape", value);
  const rank = new BigUint64Array(1);
  api.call("GetDimensionsCount", info, rank);
  const sides = new BigInt64Array(Number(rank[0]));
  if (sides.length > 0) api.call("GetDimensions", info, sides, rank[0]!);
  api.release("ReleaseTensorTypeAndShapeInfo", info);
  const shape = Array.from(sides, Number);
  const values = new Float32Array(elementCount(shape));
  const data = api.create("GetTensorMutableData", value);
  new Deno.UnsafePointerView(data).copyInto(values);
  return { shape, values };
}
