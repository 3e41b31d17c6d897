/**
 * The session chain: runs the parts of a decoder in order, as one graph.
 *
 * ```text
 * input_ids ─▶ layers 0…15 ─▶ residual.16 ─▶ layers 16…31 ─▶ hidden
 * ```
 *
 * ONNX Runtime packs the weights of a session on one thread, so parts that load
 * side by side are ready sooner than a whole decoder.
 *
 * @module
 */

import { elementCount } from "../../models/graph/dtype.ts";
import type { GraphBinding, GraphSession } from "../runtime/graph_session.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../runtime/tensor.ts";

/** A loaded part, and the names of its inputs and outputs. */
export interface ChainPart {
  /** Session of the part. */
  readonly session: GraphSession;
  /** Names of its inputs. */
  readonly inputs: readonly string[];
  /** Names of its outputs. */
  readonly outputs: readonly string[];
}

/** A part with its binding. */
interface BoundPart {
  readonly binding: GraphBinding;
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
}

/**
 * The output of the last part, whose shape and type those between parts have.
 */
const RESULT = "hidden";

/** Runs parts of a decoder in order. */
export class SessionChain implements GraphSession {
  readonly #runtime: Pick<Runtime, "tensor">;
  readonly #parts: readonly ChainPart[];

  /**
   * Creates a chain, which closes its parts.
   *
   * @param parts Parts in order; each has outputs that the next one reads.
   */
  constructor(runtime: Pick<Runtime, "tensor">, parts: readonly ChainPart[]) {
    this.#runtime = runtime;
    this.#parts = parts;
  }

  bind(): GraphBinding {
    return new ChainBinding(
      this.#runtime,
      this.#parts.map(({ session, inputs, outputs }) => ({
        binding: session.bind(),
        inputs: new Set(inputs),
        outputs: new Set(outputs),
      })),
    );
  }

  /** Waits for runs in flight, then closes every part. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.#parts) await session[Symbol.asyncDispose]();
  }
}

/** Binds the inputs and outputs of all parts. */
class ChainBinding implements GraphBinding {
  readonly #runtime: Pick<Runtime, "tensor">;
  readonly #parts: readonly BoundPart[];
  /** Names of the tensors that one part writes and another one reads. */
  readonly #links: readonly string[];
  readonly #linked = new Map<string, Tensor>();

  constructor(runtime: Pick<Runtime, "tensor">, parts: readonly BoundPart[]) {
    this.#runtime = runtime;
    this.#parts = parts;
    this.#links = parts.flatMap(({ outputs }) =>
      [...outputs].filter((name) =>
        parts.some(({ inputs }) => inputs.has(name))
      )
    );
  }

  input(name: string, tensor: Tensor): this {
    for (const { binding, inputs } of this.#parts) {
      if (inputs.has(name)) binding.input(name, tensor);
    }
    return this;
  }

  output(name: string, tensor: Tensor): this {
    for (const { binding, outputs } of this.#parts) {
      if (outputs.has(name)) binding.output(name, tensor);
    }
    if (name === RESULT) this.#link(tensor.shape);
    return this;
  }

  async run(signal?: AbortSignal): Promise<void> {
    for (const { binding } of this.#parts) await binding.run(signal);
  }

  [Symbol.dispose](): void {
    for (const { binding } of this.#parts) binding[Symbol.dispose]();
    for (const tensor of this.#linked.values()) tensor[Symbol.dispose]();
    this.#linked.clear();
  }

  /** Binds what parts pass on to tensors of `shape`. */
  #link(shape: readonly number[]): void {
    for (const name of this.#links) {
      const known = this.#linked.get(name);
      if (known !== undefined && sameShape(known.shape, shape)) continue;
      const data = new Float32Array(elementCount(shape));
      const tensor = this.#runtime.tensor(data, shape);
      this.#linked.set(name, tensor);
      this.input(name, tensor).output(name, tensor);
      known?.[Symbol.dispose]();
    }
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((side, i) => side === b[i]);
}
