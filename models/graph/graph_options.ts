/**
 * How graphs are built for a device.
 *
 * @module
 */

import type { Dtype } from "./dtype.ts";

/** How to build. */
export interface GraphOptions {
  /** Type in which weights enter and activations are. */
  readonly computeDtype: Dtype;
  /** Whether marked values become outputs, to look inside. */
  readonly trace?: boolean;
  /**
   * Whether weights are handed to the session, in the computing type, instead of
   * being read by it: so that several sessions share them.
   */
  readonly supplied?: boolean;
  /**
   * Whether activations keep their type where weights are in few bits; they are
   * rounded to int8 unless told.
   */
  readonly wholeActivations?: boolean;
  /**
   * Whether tables of embeddings enter in the computing type, as other weights
   * do; they stay as they are stored unless told.
   */
  readonly castTables?: boolean;
  /**
   * Whether matrices are multiplied as `[in, out]`, for devices that have no
   * kernel for what is stored, `[out, in]`.
   */
  readonly transposed?: boolean;
}
