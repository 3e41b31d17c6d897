/**
 * The finished graph, from which a session is created.
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
  /** Location of the stored tensor, in its stored type. */
  readonly stored: StoredTensor;
  /** True if it is passed as `[K, N]`, while `[N, K]` is stored. */
  readonly transposed: boolean;
}

/** A graph, and the names and weights for its bindings. */
export interface BuiltGraph {
  /** An encoded `ModelProto`. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Names of the outputs that tracing adds. */
  readonly traced: readonly string[];
  /** Weights that must be passed to a session. */
  readonly supplied: readonly SuppliedWeight[];
}
