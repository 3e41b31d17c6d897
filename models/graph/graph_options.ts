/**
 * The options that build graphs for a device.
 *
 * @module
 */

import type { Dtype } from "./dtype.ts";

/** Options of a graph. */
export interface GraphOptions {
  /** Type of entering weights and of activations. */
  readonly computeDtype: Dtype;
  /** True if marked values become outputs, for a trace. */
  readonly trace?: boolean;
  /**
   * True if weights are passed to the session, in the computing type, instead
   * of being read by it: so that several sessions share them.
   */
  readonly supplied?: boolean;
  /**
   * True if activations keep their type where weights are in few bits; they are
   * rounded to int8 by default.
   */
  readonly wholeActivations?: boolean;
  /**
   * True if tables of embeddings enter in the computing type, as other weights
   * do; they stay as they are stored by default.
   */
  readonly castTables?: boolean;
  /**
   * True if matrices are multiplied as `[in, out]`, for devices that have no
   * kernel for the stored form, `[out, in]`.
   */
  readonly transposed?: boolean;
}
