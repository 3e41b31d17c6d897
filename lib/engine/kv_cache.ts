/**
 * Keys and values of every layer, kept in place between runs.
 *
 * ```text
 * layer × {key, value}: [slots, H, T, D]
 *                        └─ a slot is one row of the batch
 * ```
 *
 * Graphs read and write this memory directly: the same tensors are bound as
 * past and as present.
 *
 * @module
 */

import type { LanguageConfig } from "../../models/config/language_config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Binding } from "../runtime/session.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** Bytes that one token takes in one slot, all layers together. */
export function cacheBytesPerToken(config: LanguageConfig): number {
  const { layers, keyValueHeads, headSize } = config;
  return 2 * layers * keyValueHeads * headSize *
    Float32Array.BYTES_PER_ELEMENT;
}

/** Tensors of one layer. */
interface LayerTensors {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** The memory of all slots. */
export class KvCache implements Disposable {
  readonly #runtime: Runtime;
  readonly #config: LanguageConfig;
  /** `[slots, H, T, D]`, key then value of each layer. */
  readonly #memory: readonly Float32Array<ArrayBuffer>[];
  readonly #views = new Map<string, LayerTensors[]>();
  /** Rows that may run together. */
  readonly slots: number;
  /** Tokens that a slot holds, T. */
  readonly positions: number;

  /** Memory is taken from the system as it is first written. */
  constructor(
    runtime: Runtime,
    config: LanguageConfig,
    slots: number,
    positions: number,
  ) {
    this.#runtime = runtime;
    this.#config = config;
    this.slots = slots;
    this.positions = positions;
    const { layers, keyValueHeads, headSize } = config;
    const length = slots * keyValueHeads * positions * headSize;
    this.#memory = Array.from(
      { length: 2 * layers },
      () => new Float32Array(length),
    );
  }

  /** Binds `rows` slots from `first` on as past and present. */
  bind(binding: Binding, first: number, rows: number): void {
    for (const [layer, tensors] of this.#view(first, rows).entries()) {
      for (const part of ["key", "value"] as const) {
        binding.input(`past_key_values.${layer}.${part}`, tensors[part]);
        binding.output(`present.${layer}.${part}`, tensors[part]);
      }
    }
  }

  /** Frees the tensors; the bindings that use them must be gone. */
  [Symbol.dispose](): void {
    for (const { key, value } of [...this.#views.values()].flat()) {
      key[Symbol.dispose]();
      value[Symbol.dispose]();
    }
    this.#views.clear();
  }

  #view(first: number, rows: number): LayerTensors[] {
    const name = `${first}+${rows}`;
    let view = this.#views.get(name);
    if (view === undefined) {
      view = Array.from({ length: this.#config.layers }, (_, layer) => ({
        key: this.#slice(this.#memory[2 * layer]!, first, rows),
        value: this.#slice(this.#memory[2 * layer + 1]!, first, rows),
      }));
      this.#views.set(name, view);
    }
    return view;
  }

  #slice(
    memory: Float32Array<ArrayBuffer>,
    first: number,
    rows: number,
  ): Tensor {
    const { keyValueHeads, headSize } = this.#config;
    const row = keyValueHeads * this.positions * headSize;
    return this.#runtime.tensor(
      memory.subarray(first * row, (first + rows) * row),
      [rows, keyValueHeads, this.positions, headSize],
    );
  }
}
