/**
 * A graph that is done: what a session is made of.
 *
 * @module
 */

import type { Dtype } from "./dtype.ts";
import type { StoredTensor } from "./weights.ts";

/** A weight that a session must be handed. */
export interface SuppliedWeight {
  /** In the graph. */
  readonly name: string;
  /** Type in which it is to be handed over. */
  readonly dtype: Dtype;
  /** Sides, outermost first. */
  readonly shape: readonly number[];
  /** Where it lies, in its own type. */
  readonly stored: StoredTensor;
  /** Whether it is handed over as `[K, N]`, where `[N, K]` is stored. */
  readonly transposed: boolean;
}

/** A graph and what else is needed to bind it. */
export interface BuiltGraph {
  /** An encoded `ModelProto`. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Names of the outputs that tracing adds. */
  readonly traced: readonly string[];
  /** Weights that a session must be handed. */
  readonly supplied: readonly SuppliedWeight[];
}
