/**
 * The options of graphs, which depend on the device.
 *
 * @module
 */

import type { Dtype } from "./dtype.ts";

/** Options of a graph. */
export interface GraphOptions {
  /** Type of weights and activations in the graph. */
  readonly computeDtype: Dtype;
  /** True if marked values become outputs, for a trace. */
  readonly trace?: boolean;
  /**
   * True if weights are passed to the session in the computing type instead of
   * being read by it, so that several sessions can share them.
   */
  readonly supplied?: boolean;
  /**
   * True if activations of quantized layers keep their type; they are rounded
   * to int8 by default.
   */
  readonly wholeActivations?: boolean;
  /**
   * True if embedding tables are cast to the computing type like other weights;
   * they keep their stored type by default.
   */
  readonly castTables?: boolean;
  /**
   * True if matrices are multiplied as `[in, out]`, for devices that have no
   * kernel for the stored form, `[out, in]`.
   */
  readonly transposed?: boolean;
  /**
   * True if the asymmetric part of a convolution's padding is a node of its own,
   * for devices whose convolutions pad both ends alike.
   */
  readonly symmetricPads?: boolean;
  /**
   * Choice of the vision tokenizer's convolutions that use Winograd's
   * algorithm; all are direct by default.
   */
  readonly winograd?: WinogradChoice | undefined;
}

/** The convolutions that use Winograd's algorithm. */
export interface WinogradChoice {
  /** Least number of channels in and out. */
  readonly leastChannels: number;
}
