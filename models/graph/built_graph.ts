/**
 * The finished graph that a session is created from.
 *
 * @module
 */

import type { Dtype } from "./dtype.ts";
import type { StoredTensor } from "./weights.ts";

/** A weight that must be passed to a session. */
export interface SuppliedWeight {
  /** Name in the graph. */
  readonly name: string;
  /** Type in which it is to be passed. */
  readonly dtype: Dtype;
  /** Dimensions, outermost first. */
  readonly shape: readonly number[];
  /** Place of the stored tensor, in its own type. */
  readonly stored: StoredTensor;
  /** True if it is passed as `[K, N]`, while `[N, K]` is stored. */
  readonly transposed: boolean;
}

/** A graph with the data that is needed to bind it. */
export interface BuiltGraph {
  /** An encoded `ModelProto`. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Names of the outputs that tracing adds. */
  readonly traced: readonly string[];
  /** Weights that must be passed to a session. */
  readonly supplied: readonly SuppliedWeight[];
}
