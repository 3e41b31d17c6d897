/**
 * The graph without a checkpoint, whose tensors are inputs or constants.
 *
 * @module
 */

import { Graph } from "./graph.ts";
import type { GraphOptions } from "./graph_options.ts";

/** Returns a graph that reads no weights of a checkpoint. */
export function weightlessGraph(
  name: string,
  options: GraphOptions = { computeDtype: "float32" },
): Graph {
  return new Graph(name, {
    find: (key) => {
      throw new TypeError(`the graph ${name} has no weight "${key}"`);
    },
    findQuantized: () => undefined,
  }, options);
}
