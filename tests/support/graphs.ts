/**
 * The small graphs and sessions for tests of the runtime.
 *
 * @module
 */

import { Graph, type Value } from "../../models/graph/graph.ts";
import type { Weights } from "../../models/graph/weights.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import type { Session } from "../../lib/runtime/session.ts";

/** A checkpoint without tensors. */
export const NO_WEIGHTS: Weights = {
  find(key) {
    throw new Error(`there is no "${key}"`);
  },
  findQuantized: () => undefined,
};

/** Opens a session of `y = body(x)`, both float32 of `shape`. */
export async function sessionOf(
  runtime: Runtime,
  shape: readonly (number | string)[],
  body: (g: Graph, x: Value) => Value,
): Promise<Session> {
  const g = new Graph("test", NO_WEIGHTS, { computeDtype: "float32" });
  const y = body(g, g.input("x", "float32", shape));
  g.output("y", y, "float32", shape);
  return await runtime.session(g.build().model, {
    weightFolder: "/",
    prepack: true,
  });
}

/** Builds the matrix power of `x` by `times` multiplications. */
export function squareOften(times: number): (g: Graph, x: Value) => Value {
  return (g, x) => {
    let y = x;
    for (let i = 0; i < times; i++) y = g.apply("MatMul", [x, y]);
    return y;
  };
}
