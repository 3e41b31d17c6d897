/**
 * The interface of the runtime for its own parts: creates sessions and tensors.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";
import type { Session, SessionOptions } from "./session.ts";
import type { Tensor, TensorData } from "./tensor.ts";

/** Creates sessions, and tensors over memory of the host. */
export interface GraphRunner {
  /**
   * Returns a session for a graph.
   *
   * @param model An encoded `ModelProto`. Weights may be in files under
   * `options.weightFolder`.
   * @throws {RuntimeError} If ONNX Runtime refuses the graph or its weights.
   */
  session(
    model: Uint8Array<ArrayBuffer>,
    options: SessionOptions,
  ): Promise<Session>;

  /** Returns a tensor over `data`, shared with ONNX Runtime. */
  tensor(data: TensorData, shape: readonly number[], dtype?: Dtype): Tensor;
}
