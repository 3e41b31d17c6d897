/**
 * The table of embeddings in tuning: its lookup, and its gradient.
 *
 * Shapes: S tokens, V vocabulary, E hidden size.
 *
 * @module
 */

import type { BuiltGraph } from "../graph/built_graph.ts";
import type { Dtype } from "../graph/dtype.ts";
import { weightlessGraph } from "../graph/weightless.ts";

/** Options of {@linkcode embeddingGraph}. */
export interface EmbeddingOptions {
  /** Type of activations. */
  readonly computeDtype: Dtype;
  /** Type of the table. */
  readonly dtype: Dtype;
}

/**
 * Builds the lookup: `table` `[V, E]`, `ids` int64 `[S]` → `x` `[S, E]`.
 */
export function embeddingGraph(
  { computeDtype, dtype }: EmbeddingOptions,
): BuiltGraph {
  const g = weightlessGraph("embedding", { computeDtype });
  const table = g.input("table", dtype, ["V", "E"]);
  const rows = g.apply("Gather", [table, g.input("ids", "int64", ["S"])]);
  const x = dtype === computeDtype ? rows : g.cast(rows, computeDtype);
  g.output("x", x, computeDtype, ["S", "E"]);
  return g.build();
}

/**
 * Builds the gradient: `dx` `[S, E]` is added to the rows `ids` of `gradient`
 * float32 `[V, E]`, in `gradient.new` of the same memory.
 */
export function embeddingGradientGraph(computeDtype: Dtype): BuiltGraph {
  const g = weightlessGraph("embedding-gradient", { computeDtype });
  const gradient = g.input("gradient", "float32", ["V", "E"]);
  const ids = g.input("ids", "int64", ["S"]);
  const dx = g.input("dx", computeDtype, ["S", "E"]);
  const rows = computeDtype === "float32" ? dx : g.cast(dx, "float32");
  const index = g.apply("Expand", [
    g.apply("Unsqueeze", [ids, g.integers(1)]),
    g.apply("Shape", [dx]),
  ]);
  g.applyNamed("ScatterElements", [gradient, index, rows], ["gradient.new"], {
    axis: 0,
    reduction: "add",
  });
  g.declareOutput("gradient.new", "float32", ["V", "E"]);
  return g.build();
}
