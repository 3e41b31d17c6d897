/**
 * The runner of a head graph: hidden states in, logits out.
 *
 * @module
 */

import type { Runtime } from "../runtime/runtime.ts";
import type { GraphBinding, GraphSession } from "../runtime/graph_session.ts";
import type { Tensor } from "../runtime/tensor.ts";
import { inPairs } from "../engine/step_runner.ts";

/** Runs a loaded head. */
export class HeadRunner implements Disposable {
  readonly #runtime: Runtime;
  readonly #session: GraphSession;
  readonly #hiddenSize: number;
  readonly #vocabularySize: number;
  /** Hidden states, `[B, E]`, for the largest batch so far. */
  #hidden = new Float32Array();
  /** Logits, `[B, V]`. */
  #logits = new Float32Array();
  /** Bindings by number of rows; all share the same memory. */
  readonly #bindings = new Map<
    number,
    { binding: GraphBinding; hidden: Tensor }
  >();
  #tensors = new DisposableStack();

  /**
   * Creates the runner; nothing is allocated before the first run.
   *
   * @param hiddenSize The hidden size, E.
   * @param vocabularySize Number of tokens that the head scores, V.
   */
  constructor(
    runtime: Runtime,
    session: GraphSession,
    hiddenSize: number,
    vocabularySize: number,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#hiddenSize = hiddenSize;
    this.#vocabularySize = vocabularySize;
  }

  /**
   * Returns the logits, `[V]` each, of hidden states, `[E]` each; valid until
   * the next call.
   */
  async run(
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const rows = inPairs(hidden.length);
    if (rows * this.#hiddenSize > this.#hidden.length) this.#grow(rows);
    const { binding, hidden: input } = this.#bindings.get(rows) ??
      this.#bind(rows);
    for (const [row, state] of hidden.entries()) {
      this.#hidden.set(state, row * this.#hiddenSize);
    }
    // A device uses a copy, which is made on binding.
    if (this.#runtime.device !== undefined) binding.input("hidden", input);
    await binding.run();
    return hidden.map((_, row) =>
      this.#logits.subarray(
        row * this.#vocabularySize,
        (row + 1) * this.#vocabularySize,
      )
    );
  }

  /** Frees tensors and bindings, not the session. */
  [Symbol.dispose](): void {
    for (const { binding } of this.#bindings.values()) {
      binding[Symbol.dispose]();
    }
    this.#bindings.clear();
    this.#tensors.dispose();
  }

  #grow(rows: number): void {
    this[Symbol.dispose]();
    this.#tensors = new DisposableStack();
    this.#hidden = new Float32Array(rows * this.#hiddenSize);
    this.#logits = new Float32Array(rows * this.#vocabularySize);
  }

  #bind(rows: number): { binding: GraphBinding; hidden: Tensor } {
    const tensor = (data: Float32Array<ArrayBuffer>, width: number) =>
      this.#tensors.use(this.#runtime.tensor(data, [rows, width]));
    const hidden = tensor(this.#hidden, this.#hiddenSize);
    const binding = this.#session.bind()
      .input("hidden", hidden)
      .output("logits", tensor(this.#logits, this.#vocabularySize));
    const bound = { binding, hidden };
    this.#bindings.set(rows, bound);
    return bound;
  }
}
