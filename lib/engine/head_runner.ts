/**
 * A head graph and its buffers: hidden states in, logits out.
 *
 * @module
 */

import type { Runtime } from "../runtime/runtime.ts";
import type { Binding, Session } from "../runtime/session.ts";
import { MIN_ROWS } from "./decoder.ts";

/** What a run of some rows reads and writes. */
interface Buffers {
  readonly binding: Binding;
  /** `[B, E]` */
  readonly hidden: Float32Array<ArrayBuffer>;
  /** `[B, V]` */
  readonly logits: Float32Array<ArrayBuffer>;
}

/** A loaded head. */
export class HeadRunner implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #session: Session;
  readonly #hiddenSize: number;
  readonly #judged: number;
  readonly #resources = new DisposableStack();
  readonly #buffers = new Map<number, Buffers>();

  /**
   * Takes over `session`.
   *
   * @param hiddenSize E
   * @param judged Tokens that the head judges, V.
   */
  constructor(
    runtime: Runtime,
    session: Session,
    hiddenSize: number,
    judged: number,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#hiddenSize = hiddenSize;
    this.#judged = judged;
  }

  /** `[E]` each → `[V]` each, valid until the next call. */
  async run(
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const rows = Math.max(MIN_ROWS, hidden.length);
    const buffers = this.#buffers.get(rows) ?? this.#make(rows);
    for (const [row, state] of hidden.entries()) {
      buffers.hidden.set(state, row * this.#hiddenSize);
    }
    await buffers.binding.run();
    return hidden.map((_, row) =>
      buffers.logits.subarray(row * this.#judged, (row + 1) * this.#judged)
    );
  }

  /** Frees session and tensors. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
    this.#resources.dispose();
  }

  #make(rows: number): Buffers {
    const buffers = {
      binding: this.#session.bind(),
      hidden: new Float32Array(rows * this.#hiddenSize),
      logits: new Float32Array(rows * this.#judged),
    };
    const { binding, hidden, logits } = buffers;
    const tensor = (data: Float32Array<ArrayBuffer>, width: number) =>
      this.#resources.use(this.#runtime.tensor(data, [rows, width]));
    binding.input("hidden", tensor(hidden, this.#hiddenSize));
    binding.output("logits", tensor(logits, this.#judged));
    this.#buffers.set(rows, buffers);
    return buffers;
  }
}
