/**
 * The weights that are not trained, as inputs of graphs.
 *
 * ```text
 * fp32, bf16, fp16   mapped or cast once   {name}.weight
 * int8, int4         mapped                {name}.codes, {name}.scales
 * ```
 *
 * Codes become floats inside the graphs, a layer at a time (QLoRA).
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";
import type { StoredTensor } from "../../models/graph/weights.ts";
import type { MatrixForm } from "../../models/tuning/matrix.ts";
import type { LanguageCheckpoint } from "../loading/checkpoint.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { SharedWeights } from "../runtime/shared_weights.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { TuningError } from "./tuning_error.ts";

/** A tensor and the suffix of its input. */
export interface BaseInput {
  /** Suffix after the name of the part. */
  readonly suffix: "weight" | "codes" | "scales";
  /** Tensor to bind. */
  readonly tensor: Tensor;
}

/** Holds the weights of a checkpoint for graphs that take them as inputs. */
export class BaseWeights implements Disposable {
  readonly #checkpoint: LanguageCheckpoint;
  readonly #shared: SharedWeights;
  readonly #dtype: Dtype | undefined;
  readonly #onDevice: boolean;

  /**
   * Creates the store; nothing is read yet.
   *
   * @param dtype Type to cast weights to, once; undefined to leave them mapped
   * in their stored type.
   * @throws {TuningError} If the system cannot map files.
   */
  constructor(
    runtime: Runtime,
    checkpoint: LanguageCheckpoint,
    dtype: Dtype | undefined,
  ) {
    const shared = runtime.sharedWeights(checkpoint.weightFolder);
    if (shared === undefined) {
      throw new TuningError(
        "this system cannot map files, use Linux or macOS",
      );
    }
    this.#checkpoint = checkpoint;
    this.#shared = shared;
    this.#dtype = dtype;
    this.#onDevice = runtime.device !== undefined;
  }

  /**
   * Returns the form in which a matrix is bound.
   *
   * @param key Key of the original layout, without `.weight`.
   * @throws {CheckpointError} If there is none, or it has another shape.
   */
  form(key: string, shape: readonly [number, number]): MatrixForm {
    const { weights } = this.#checkpoint;
    const quantized = weights.findQuantized(`${key}.weight`, shape);
    if (quantized === undefined) {
      const { dtype } = weights.find(`${key}.weight`, shape);
      return { kind: "floats", dtype: this.#dtype ?? dtype };
    }
    const { bits, blockSize, scales } = quantized;
    return { kind: "codes", bits, blockSize, scaleDtype: scales.dtype };
  }

  /** Returns the inputs of a matrix; throws as `form` does. */
  async matrix(
    key: string,
    shape: readonly [number, number],
  ): Promise<BaseInput[]> {
    const { weights } = this.#checkpoint;
    const quantized = weights.findQuantized(`${key}.weight`, shape);
    if (quantized === undefined) {
      return [{ suffix: "weight", tensor: await this.floats(key, shape) }];
    }
    const { codes, scales } = quantized;
    return [
      { suffix: "codes", tensor: await this.#tensor(codes, codes.dtype) },
      { suffix: "scales", tensor: await this.#tensor(scales, scales.dtype) },
    ];
  }

  /**
   * Returns a tensor of floats.
   *
   * @param dtype Type to cast it to; that of all weights by default.
   */
  async floats(
    key: string,
    shape: readonly number[],
    dtype?: Dtype,
  ): Promise<Tensor> {
    const stored = this.#checkpoint.weights.find(`${key}.weight`, shape);
    const { dtype: storedDtype } = stored;
    const plain = { ...stored, shape };
    return await this.#tensor(plain, dtype ?? this.#dtype ?? storedDtype);
  }

  /** Returns a tensor of floats in its stored type, on the device too. */
  async stored(key: string, shape: readonly number[]): Promise<Tensor> {
    const stored = this.#checkpoint.weights.find(`${key}.weight`, shape);
    return await this.#tensor({ ...stored, shape }, stored.dtype);
  }

  /**
   * Returns a table of embeddings: as it is stored, since rows are cast when
   * they are looked up, but on devices, which may lack the type.
   */
  async table(key: string, shape: readonly number[]): Promise<Tensor> {
    return this.#onDevice
      ? await this.floats(key, shape)
      : await this.stored(key, shape);
  }

  /** Frees what was mapped and cast. */
  [Symbol.dispose](): void {
    this.#shared[Symbol.dispose]();
  }

  async #tensor(stored: StoredTensor, dtype: Dtype): Promise<Tensor> {
    const { shape } = stored;
    const name = `${stored.location}@${stored.offset}`;
    return await this.#shared.tensor({
      name,
      dtype,
      shape,
      stored,
      transposed: false,
    });
  }
}
