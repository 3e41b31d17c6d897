/**
 * A process that runs a graph repeatedly with its own tensors, bindings and
 * signals, and prints the growth of its memory.
 *
 * @module
 */

import { Runtime } from "../../lib/runtime/runtime.ts";
import { sessionOf } from "./graphs.ts";

const SIDE = 256;
const BUFFER_BYTES = 4 * SIDE * SIDE;
const WARM_UP = 300;
const RUNS = 1000;

await using runtime = new Runtime({ threads: 1 });
await using session = await sessionOf(
  runtime,
  [SIDE, SIDE],
  (g, x) => g.apply("Add", [x, x]),
);
const x = new Float32Array(SIDE * SIDE);
const y = new Float32Array(SIDE * SIDE);
await run(WARM_UP);
const before = Deno.memoryUsage().rss;
await run(RUNS);
const grown = Deno.memoryUsage().rss - before;
const result = { bufferBytes: BUFFER_BYTES, runs: RUNS, grown };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result)));

async function run(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    using input = runtime.tensor(x, [SIDE, SIDE]);
    using output = runtime.tensor(y, [SIDE, SIDE]);
    using binding = session.bind().input("x", input).output("y", output);
    await binding.run(new AbortController().signal);
  }
}
