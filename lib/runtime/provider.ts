/**
 * Where graphs run, as a value.
 *
 * The rest of the program asks a provider three things: how a session is
 * configured for it, in which type it computes, and where state that outlives a
 * run (keys and values) is kept. It never asks for its name.
 *
 * @module
 */

import type { Dtype } from "../../models/graph/dtype.ts";

/** An execution provider of ONNX Runtime. */
export interface Provider {
  /** What `DEVICE` and `/v1/models` call it. */
  readonly name: "cpu";
  /** Type of weights and activations while computing. */
  readonly computeDtype: Dtype;
  /** Name of its memory in ONNX Runtime; undefined where host memory is used. */
  readonly deviceMemory: string | undefined;
}

/**
 * Every core of this machine, in fp32: half floats have no fast kernels there
 * and bf16 has none at all.
 */
export const CPU_PROVIDER: Provider = {
  name: "cpu",
  computeDtype: "float32",
  deviceMemory: undefined,
};
