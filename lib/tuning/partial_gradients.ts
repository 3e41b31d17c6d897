/**
 * The gradients that sequences of a step add up side by side, and their sum.
 *
 * The first ones are the parameters' own; each further vector belongs to
 * another sequence that runs at the same time.
 *
 * @module
 */

import { gradientSumGraph } from "../../models/tuning/adamw.ts";
import { updatedName } from "../../models/tuning/matrix.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Binding } from "../runtime/session.ts";
import type { Tensor } from "../runtime/tensor.ts";
import type { TuningMemory, TuningVector } from "./memory/tuning_memory.ts";
import type { Parameters } from "./parameters.ts";

/** A further vector of gradients. */
interface FurtherGradients {
  readonly vector: TuningVector;
  readonly tensors: Map<string, Tensor>;
  /** Adds the vector to the parameters' gradients. */
  readonly addition: Binding;
}

/** Holds the gradients of sequences that run side by side. */
export class PartialGradients implements AsyncDisposable {
  readonly #parameters: Parameters;
  readonly #further: readonly FurtherGradients[];
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parameters: Parameters,
    further: readonly FurtherGradients[],
    resources: AsyncDisposableStack,
  ) {
    this.#parameters = parameters;
    this.#further = further;
    this.#resources = resources;
  }

  /**
   * Allocates zeros.
   *
   * @param parallel Number of sequences that run side by side: more than one
   * only in memory whose vectors are not divided.
   */
  static async allocate(
    runtime: Runtime,
    memory: TuningMemory,
    parameters: Parameters,
    parallel: number,
  ): Promise<PartialGradients> {
    await using opened = new AsyncDisposableStack();
    const { length } = parameters.vector("gradients");
    const further: FurtherGradients[] = [];
    if (parallel > 1) {
      const session = opened.use(
        await runtime.session(gradientSumGraph().model, {
          weightFolder: "/",
          prepack: false,
        }),
      );
      const sum = parameters.vector("gradients").part(0, [length]);
      while (further.length < parallel - 1) {
        const vector = opened.use(
          await memory.vector(parameters.list, length),
        );
        const addition = opened.use(session.bind())
          .input("gradient", sum)
          .input("other", vector.part(0, [length]))
          .output(updatedName("gradient"), sum);
        further.push({ vector, tensors: new Map(), addition });
      }
    }
    return new PartialGradients(parameters, further, opened.move());
  }

  /** Returns the tensor that one of the sequences adds to, counted from 0. */
  tensor(sequence: number, name: string): Tensor {
    if (sequence === 0) return this.#parameters.tensor("gradients", name);
    const { vector, tensors } = this.#further[sequence - 1]!;
    let tensor = tensors.get(name);
    if (tensor === undefined) {
      const { offset, shape } = this.#parameters.placed(name);
      tensor = vector.part(offset, shape);
      tensors.set(name, tensor);
    }
    return tensor;
  }

  /** Adds all further gradients to the parameters', and clears them. */
  async sum(): Promise<void> {
    for (const { vector, addition } of this.#further) {
      await addition.run();
      await vector.clear();
    }
  }

  /** Frees the further vectors. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
