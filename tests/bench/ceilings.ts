/**
 * The ceilings of this machine, measured through the same runtime: bytes read
 * and floating-point operations per second.
 *
 * @module
 */

import type { Runtime } from "../../lib/runtime/runtime.ts";
import { Graph } from "../../models/graph/graph.ts";
import { best } from "./timing.ts";

/** The upper bounds of a machine. */
export interface Ceilings {
  /** Bytes per second of sequential fp32 reads. */
  readonly bytesPerSecond: number;
  /** fp32 operations per second of matrix products. */
  readonly flopsPerSecond: number;
}

/** Side of the matrices for operations. */
const SIDE = 1024;

/** Rows to read, far larger than caches. */
const READ_ROWS = 1 << 14;
const READ_WIDTH = 1 << 12;

/** Measures both in a few seconds. */
export async function measureCeilings(runtime: Runtime): Promise<Ceilings> {
  const product = await runMatMul(runtime, SIDE, SIDE, SIDE);
  const read = await runMatMul(runtime, 1, READ_WIDTH, READ_ROWS);
  return {
    flopsPerSecond: (2 * SIDE ** 3) / product,
    bytesPerSecond: (4 * READ_ROWS * READ_WIDTH) / read,
  };
}

/** Returns the best seconds of `[m, k] · [n, k]ᵀ`. */
async function runMatMul(
  runtime: Runtime,
  m: number,
  k: number,
  n: number,
): Promise<number> {
  const none = {
    find(key: string): never {
      throw new Error(key);
    },
    findQuantized: () => undefined,
  };
  const g = new Graph("ceiling", none, { computeDtype: "float32" });
  const a = g.input("a", "float32", [m, k]);
  const b = g.input("b", "float32", [n, k]);
  const y = g.apply("FusedMatMul", [a, b], { transB: 1 });
  g.output("y", y, "float32", [m, n]);
  const options = { weightFolder: "/", prepack: false };
  await using session = await runtime.session(g.build().model, options);
  using stack = new DisposableStack();
  const tensor = (rows: number, columns: number) =>
    stack.use(
      runtime.tensor(new Float32Array(rows * columns).fill(1), [rows, columns]),
    );
  using binding = session.bind().input("a", tensor(m, k))
    .input("b", tensor(n, k)).output("y", tensor(m, n));
  return await best(40, () => binding.run());
}
