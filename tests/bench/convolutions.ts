// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of the vision tokenizer's convolutions, direct and by Winograd's
 * algorithm, for the shapes of a checkpoint at one size of picture.
 *
 * ```sh
 * deno run -A tests/bench/convolutions.ts [side, 256 when left out] [threads, 2]
 * ```
 *
 * @module
 */

import { Runtime } from "../../lib/runtime/runtime.ts";
import { parseVisionConfig } from "../../models/config/vision_config.ts";
import { Graph, type Value } from "../../models/graph/graph.ts";
import type { Weights } from "../../models/graph/weights.ts";
import {
  type Convolutions,
  convolutionsAt,
} from "../../models/vision/convolution.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { best } from "./timing.ts";

/** Runs of each graph, of which the fastest counts. */
const ROUNDS = 3;

/** Noise, repeated in longer tensors. */
const NOISE_LENGTH = 1 << 16;

/** The shape of a convolution. */
interface Shape {
  readonly kind: keyof Convolutions;
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

const side = Number(Deno.args[0] ?? 256);
const threads = Number(Deno.args[1] ?? 2);
const config = parseVisionConfig({});
const { baseChannels, channelMultipliers } = config;
const widths = channelMultipliers.map((factor) => factor * baseChannels);
const shapes = widths.flatMap((to, level): Shape[] => [
  { kind: "same", level, from: to, to },
  ...(level > 0 ? [{ kind: "doubled", level, from: to, to } as const] : []),
]);
using folder = temporaryFolder();
await using runtime = new Runtime({ threads });
const largest = Math.max(...widths) ** 2 * 9;
folder.write("weight", new Uint8Array(noise(largest).buffer));
console.log("convolution          channels  sides     direct  Winograd  times");
for (const shape of shapes) {
  const direct = await milliseconds(shape, undefined);
  const tiled = await milliseconds(shape, { leastChannels: 1 });
  const pixels = side / 2 ** shape.level;
  const { kind, from, to } = shape;
  console.log(
    [
      (kind === "same" ? "3 × 3" : "doubled, 3 × 3").padEnd(18),
      `${from} → ${to}`.padStart(11),
      `${pixels}²`.padStart(6),
      `${direct.toFixed(0)} ms`.padStart(10),
      `${tiled.toFixed(0)} ms`.padStart(9),
      (direct / tiled).toFixed(2).padStart(6),
    ].join(" "),
  );
}

/** Returns the time of the fastest run. */
async function milliseconds(
  { kind, level, from, to }: Shape,
  winograd: { leastChannels: number } | undefined,
): Promise<number> {
  const options = { computeDtype: "float32", winograd } as const;
  const g = new Graph("convolution", locatedWeights(), options);
  const x: Value = g.input("x", "float32", [1, from, "H", "W"]);
  const y = convolutionsAt(g, config, level)[kind](g, x, "conv", {
    from,
    to,
  });
  g.output("y", y, "float32", [1, to, "H'", "W'"]);
  await using session = await runtime.session(g.build().model, {
    weightFolder: folder.path,
    prepack: false,
    optimize: false,
  });
  const pixels = side / 2 ** level;
  const factor = kind === "doubled" ? 2 : 1;
  using stack = new DisposableStack();
  const binding = stack.use(session.bind());
  const input = noise(from * pixels ** 2);
  const shape = [1, from, pixels, pixels];
  binding.input("x", stack.use(runtime.tensor(input, shape)));
  const output = new Float32Array(to * (factor * pixels) ** 2);
  const sides = [1, to, factor * pixels, factor * pixels];
  binding.output("y", stack.use(runtime.tensor(output, sides)));
  return 1000 * await best(ROUNDS, () => binding.run());
}

/** Returns weights and biases that are parts of one file. */
function locatedWeights(): Weights {
  return {
    find: (_, shape) => ({
      dtype: "float32",
      shape,
      location: "weight",
      offset: 0,
      length: 4 * shape.reduce((a, b) => a * b, 1),
    }),
    findQuantized: () => undefined,
  };
}

function noise(length: number): Float32Array<ArrayBuffer> {
  const some = Float32Array.from(
    { length: Math.min(length, NOISE_LENGTH) },
    () => 0.1 * (Math.random() - 0.5),
  );
  const all = new Float32Array(length);
  for (let at = 0; at < length; at += some.length) {
    all.set(some.subarray(0, length - at), at);
  }
  return all;
}
