/**
 * The activations of one sequence: tensors over buffers that sequences share.
 *
 * ```text
 * x.0 ─▶ layer 0 ─▶ x.1 ─▶ … ─▶ x.L ─▶ loss        L + 1 inputs, kept
 * dx.0 ◀─ … ◀─ dx.1 ◀─ dx.0 ◀──────────┘            two, in turns
 * ```
 *
 * @module
 */

import type { LanguageConfig } from "../../../models/config/language_config.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import type { TuningMemory } from "../memory/tuning_memory.ts";

/** Options of a workspace. */
export interface WorkspaceOptions {
  /** Configuration of the model. */
  readonly config: LanguageConfig;
  /** Number of tokens, S. */
  readonly length: number;
  /** Type of activations. */
  readonly dtype: Dtype;
  /** Widths of kept activations by name, of each layer that keeps some. */
  readonly kept: readonly ReadonlyMap<string, number>[];
}

/** Holds the tensors of a sequence. */
export class Workspace implements Disposable {
  readonly #memory: TuningMemory;
  readonly #options: WorkspaceOptions;
  readonly #tensors = new Map<string, Tensor>();

  /** Creates a workspace without tensors. */
  constructor(memory: TuningMemory, options: WorkspaceOptions) {
    this.#memory = memory;
    this.#options = options;
  }

  /** Number of tokens, S. */
  get length(): number {
    return this.#options.length;
  }

  /** Returns the residual stream before a layer, or after the last. */
  stream(layer: number): Promise<Tensor> {
    return this.#rows(`x.${layer}`, this.#options.config.hiddenSize);
  }

  /** Returns the residual stream after the last layer of the base. */
  base(): Promise<Tensor> {
    return this.#rows("x.base", this.#options.config.hiddenSize);
  }

  /** Returns the gradient of the residual stream before a layer. */
  gradient(layer: number): Promise<Tensor> {
    return this.#rows(`dx.${layer % 2}`, this.#options.config.hiddenSize);
  }

  /** Returns the kept activations of a layer by name. */
  async kept(layer: number): Promise<Map<string, Tensor>> {
    const tensors = new Map<string, Tensor>();
    for (const [name, width] of this.#options.kept[layer] ?? []) {
      tensors.set(name, await this.#rows(`${name}.${layer}`, width));
    }
    return tensors;
  }

  /** Frees the tensors, not their buffers. */
  [Symbol.dispose](): void {
    for (const tensor of this.#tensors.values()) tensor[Symbol.dispose]();
    this.#tensors.clear();
  }

  async #rows(name: string, width: number): Promise<Tensor> {
    let tensor = this.#tensors.get(name);
    if (tensor === undefined) {
      const { length, dtype } = this.#options;
      tensor = await this.#memory.buffer(name, [length, width], dtype);
      this.#tensors.set(name, tensor);
    }
    return tensor;
  }
}
