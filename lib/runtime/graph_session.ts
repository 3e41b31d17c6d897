/**
 * The interface of a graph that runs: one session, or several in a row.
 *
 * @module
 */

import type { Tensor } from "./tensor.ts";

/** The inputs and outputs of a graph. */
export interface GraphBinding extends Disposable {
  /** Reads graph input `name` from `tensor`. */
  input(name: string, tensor: Tensor): this;
  /** Writes graph output `name` into `tensor`, whose shape it must have. */
  output(name: string, tensor: Tensor): this;
  /**
   * Runs the graph.
   *
   * @throws {RuntimeError} If the run fails.
   * @throws The signal's reason if it aborts.
   */
  run(signal?: AbortSignal): Promise<void>;
}

/** A loaded graph. */
export interface GraphSession extends AsyncDisposable {
  /** Returns a new set of inputs and outputs. */
  bind(): GraphBinding;
}
