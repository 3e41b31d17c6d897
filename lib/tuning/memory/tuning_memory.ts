/**
 * The memory of a tuning run: vectors of parameters, and buffers of
 * activations.
 *
 * @module
 */

import {
  type Dtype,
  DTYPE_BYTES,
  elementCount,
} from "../../../models/graph/dtype.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Tensor } from "../../runtime/tensor.ts";

/** A vector of float32 that tensors share. */
export interface TuningVector extends Disposable {
  /** Number of elements. */
  readonly length: number;
  /** True if its parts cannot be divided, or seen together. */
  readonly apart: boolean;
  /**
   * Returns a tensor over some elements. It lives as long as the vector.
   *
   * @param offset Index of the first element; if it is apart, that of a part,
   * all of whose elements `shape` must have.
   */
  part(offset: number, shape: readonly number[]): Tensor;
  /** Sets all elements to zero. */
  clear(): Promise<void>;
  /** Returns a copy of all elements. */
  read(): Promise<Float32Array<ArrayBuffer>>;
  /** Overwrites elements from `offset` on. */
  write(offset: number, values: Float32Array<ArrayBuffer>): Promise<void>;
}

/** The parts that a vector is made of, in order. */
export interface VectorPart {
  /** Index of the first element. */
  readonly offset: number;
  /** Sides of the tensor that it holds. */
  readonly shape: readonly number[];
}

/** Allocates memory where graphs run. */
export interface TuningMemory extends Disposable {
  /**
   * Returns a vector of zeros.
   *
   * @param length Number of elements, gaps between parts included.
   */
  vector(
    parts: readonly VectorPart[],
    length: number,
  ): Promise<TuningVector>;
  /**
   * Returns a tensor of undefined contents, in a buffer that the next one of
   * the same name may reuse. The caller disposes of it.
   */
  buffer(
    name: string,
    shape: readonly number[],
    dtype: Dtype,
  ): Promise<Tensor>;
  /** Returns a tensor of some values. The caller disposes of it. */
  holding(
    values: Float32Array<ArrayBuffer>,
    shape: readonly number[],
  ): Promise<Tensor>;
}

/** Allocates memory of the host. */
export class HostTuningMemory implements TuningMemory {
  readonly #runtime: Runtime;
  readonly #buffers = new Map<string, Uint8Array<ArrayBuffer>>();

  /** Creates an allocator that holds nothing. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  vector(
    _parts: readonly VectorPart[],
    length: number,
  ): Promise<TuningVector> {
    return Promise.resolve(new HostVector(this.#runtime, length));
  }

  buffer(
    name: string,
    shape: readonly number[],
    dtype: Dtype,
  ): Promise<Tensor> {
    const bytes = elementCount(shape) * DTYPE_BYTES[dtype];
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.byteLength < bytes) {
      buffer = new Uint8Array(bytes);
      this.#buffers.set(name, buffer);
    }
    return Promise.resolve(this.#runtime.tensor(buffer, shape, dtype));
  }

  holding(
    values: Float32Array<ArrayBuffer>,
    shape: readonly number[],
  ): Promise<Tensor> {
    return Promise.resolve(this.#runtime.tensor(values, shape));
  }

  /** Lets go of all buffers; their tensors must be disposed of. */
  [Symbol.dispose](): void {
    this.#buffers.clear();
  }
}

/** A vector in memory of the host. */
class HostVector implements TuningVector {
  readonly #runtime: Runtime;
  readonly #resources = new DisposableStack();
  readonly #values: Float32Array<ArrayBuffer>;

  constructor(runtime: Runtime, length: number) {
    this.#runtime = runtime;
    const bytes = Math.max(length, 1) * DTYPE_BYTES.float32;
    const { buffer } = this.#resources.use(runtime.allocate(bytes));
    this.#values = new Float32Array(buffer, 0, length);
  }

  get length(): number {
    return this.#values.length;
  }

  get apart(): boolean {
    return false;
  }

  part(offset: number, shape: readonly number[]): Tensor {
    const end = offset + elementCount(shape);
    const values = this.#values.subarray(offset, end);
    return this.#resources.use(this.#runtime.tensor(values, shape));
  }

  clear(): Promise<void> {
    this.#values.fill(0);
    return Promise.resolve();
  }

  read(): Promise<Float32Array<ArrayBuffer>> {
    return Promise.resolve(this.#values.slice());
  }

  write(offset: number, values: Float32Array<ArrayBuffer>): Promise<void> {
    this.#values.set(values, offset);
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}
