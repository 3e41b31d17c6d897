/**
 * The graph that clears a tensor where it is.
 *
 * @module
 */

import type { BuiltGraph } from "../graph/built_graph.ts";
import type { Dtype } from "../graph/dtype.ts";
import { weightlessGraph } from "../graph/weightless.ts";

/**
 * Builds `y = 0`, in the shape of `x`, whose contents may be anything and whose
 * memory `y` may share.
 */
export function clearGraph(dtype: Dtype): BuiltGraph {
  const g = weightlessGraph("clear");
  const x = g.input("x", dtype, undefined);
  const zero = g.constant("float32", [], Float32Array.of(0));
  const y = g.apply("Expand", [
    dtype === "float32" ? zero : g.cast(zero, dtype),
    g.apply("Shape", [x]),
  ]);
  g.output("y", y, dtype, undefined);
  return g.build();
}
