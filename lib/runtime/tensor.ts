/**
 * The tensor, which ONNX Runtime reads and writes in place.
 *
 * Boundary file: a tensor over host memory shares it with a typed array and
 * keeps that array alive; later writes to the array change the tensor.
 *
 * @module
 */

import type { OrtApi, Pointer } from "./api.ts";
import {
  type Dtype,
  DTYPE_BYTES,
  elementCount,
  ONNX_DTYPE,
} from "../../models/graph/dtype.ts";

/**
 * The data of a tensor. Half floats, which have no array type, are
 * `Uint16Array`, in this folder only.
 */
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** Wraps a native tensor, to be disposed of after the last run that uses it. */
export class Tensor implements Disposable {
  readonly #api: OrtApi;
  /** Data, referenced so that the memory outlives the native object. */
  readonly #data: TensorData | undefined;
  #value: Pointer | undefined;
  /** Element type. */
  readonly dtype: Dtype;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];

  private constructor(
    api: OrtApi,
    value: Pointer,
    dtype: Dtype,
    shape: readonly number[],
    data: TensorData | undefined,
  ) {
    this.#api = api;
    this.#value = value;
    this.#data = data;
    this.dtype = dtype;
    this.shape = shape;
  }

  /**
   * Returns a tensor over `data`, which is shared, not copied.
   *
   * @param memory ONNX Runtime's description of host memory.
   * @throws {RangeError} If `data` is shorter than `shape` requires.
   */
  static over(
    api: OrtApi,
    memory: Pointer,
    data: TensorData,
    shape: readonly number[],
    dtype: Dtype = dtypeOf(data),
  ): Tensor {
    const bytes = elementCount(shape) * DTYPE_BYTES[dtype];
    if (bytes > data.byteLength) {
      throw new RangeError(
        `Cannot make tensor [${shape}]: it needs ${bytes} bytes, but its data has ${data.byteLength}`,
      );
    }
    // Reading `buffer` moves the elements of a small array off V8's heap, in
    // which garbage collection would move them.
    void data.buffer;
    const value = api.create(
      "CreateTensorWithDataAsOrtValue",
      memory,
      Deno.UnsafePointer.of(data),
      BigInt(bytes),
      BigInt64Array.from(shape, BigInt),
      BigInt(shape.length),
      ONNX_DTYPE[dtype],
    );
    return new Tensor(api, value, dtype, shape, data);
  }

  /** Returns a tensor over native memory, which must outlive it. */
  static at(
    api: OrtApi,
    memory: Pointer,
    pointer: Pointer,
    shape: readonly number[],
    dtype: Dtype,
  ): Tensor {
    const value = api.create(
      "CreateTensorWithDataAsOrtValue",
      memory,
      pointer,
      BigInt(elementCount(shape) * DTYPE_BYTES[dtype]),
      BigInt64Array.from(shape, BigInt),
      BigInt(shape.length),
      ONNX_DTYPE[dtype],
    );
    return new Tensor(api, value, dtype, shape, undefined);
  }

  /** Returns a tensor in memory of an allocator, such as a device's. */
  static allocate(
    api: OrtApi,
    allocator: Pointer,
    shape: readonly number[],
    dtype: Dtype,
  ): Tensor {
    const value = api.create(
      "CreateTensorAsOrtValue",
      allocator,
      BigInt64Array.from(shape, BigInt),
      BigInt(shape.length),
      ONNX_DTYPE[dtype],
    );
    return new Tensor(api, value, dtype, shape, undefined);
  }

  /** Pointer to the native object. */
  get value(): Pointer {
    if (this.#value === undefined) {
      throw new TypeError("Cannot use tensor: it is disposed");
    }
    return this.#value;
  }

  /** Data of the tensor; undefined for native memory. */
  get data(): TensorData | undefined {
    return this.#data;
  }

  /** Frees the native object, not the typed array. */
  [Symbol.dispose](): void {
    if (this.#value === undefined) return;
    this.#api.release("ReleaseValue", this.#value);
    this.#value = undefined;
  }
}

/** Returns the default type of `data`. */
function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Uint8Array) return "uint8";
  return "float16";
}
