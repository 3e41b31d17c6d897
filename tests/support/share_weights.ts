/**
 * A process that opens three sessions over one file of weights, with or without
 * sharing, and prints the memory growth of each.
 *
 * @module
 */

import { Runtime } from "../../lib/runtime/runtime.ts";
import { Graph } from "../../models/graph/graph.ts";

/** Side of a matrix, and the count of matrices. */
const SIDE = 1024;
const COUNT = 16;

const [path, shared] = Deno.args as [string, string];
const bytes = 4 * SIDE * SIDE;
await Deno.writeFile(
  path,
  new Uint8Array(
    Float32Array.from({ length: COUNT * SIDE * SIDE }, (_, i) => i % 7).buffer,
  ),
);

await using runtime = new Runtime({ threads: 1 });
using weights = shared === "shared" ? runtime.sharedWeights("/") : undefined;
const grown: number[] = [];
for (let session = 0; session < 3; session++) {
  const before = Deno.memoryUsage().rss;
  const g = new Graph("test", {
    find: (key, shape) => ({
      dtype: "float32",
      shape,
      location: path.slice(1),
      offset: Number(key) * bytes,
      length: bytes,
    }),
    findQuantized: () => undefined,
  }, { computeDtype: "float32", supplied: weights !== undefined });
  let y = g.input("x", "float32", ["B", SIDE]);
  for (let i = 0; i < COUNT; i++) {
    const matrix = g.weight(String(i), [SIDE, SIDE]);
    y = g.apply("FusedMatMul", [y, matrix], { transB: 1 });
  }
  g.output("y", y, "float32", ["B", SIDE]);
  const { model, supplied } = g.build();
  const options = { weightFolder: "/", prepack: true };
  await runtime.session(
    model,
    weights === undefined
      ? options
      : { ...options, supply: { weights, supplied } },
  );
  grown.push(Deno.memoryUsage().rss - before);
}
const result = { packedBytes: COUNT * bytes, grown };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result)));
