import { ok } from "node:assert/strict";
import fc from "fast-check";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { Graph } from "../../../models/graph/graph.ts";
import type { Weights } from "../../../models/graph/weights.ts";
import { conv, enlarge } from "../../../models/vision/convolution.ts";
import { Winograd } from "../../../models/vision/winograd.ts";
import {
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";
import { maxDifference } from "../../support/tiny.ts";

const FROM = 3;
const TO = 5;

/** Bounds the error for values in −1…1. */
const TOLERANCE = 1e-5;

/** Returns `count` values in −1…1. */
function noise(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => {
    const value = Math.sin(seed + 12.9898 * (i + 1)) * 43758.5453;
    return 2 * (value - Math.floor(value)) - 1;
  });
}

/** Writes a weight and a bias into `folder`, and locates them. */
function storedWeights(folder: TemporaryFolder): Weights {
  const lengths = new Map([["weight", TO * FROM * 9], ["bias", TO]]);
  for (const [name, length] of lengths) {
    const values = noise(length, length);
    folder.write(name, new Uint8Array(values.buffer));
  }
  return {
    find: (key, shape) => {
      const location = key.split(".").at(-1)!;
      const length = 4 * lengths.get(location)!;
      return { dtype: "float32", shape, location, offset: 0, length };
    },
    findQuantized: () => undefined,
  };
}

interface Case {
  readonly height: number;
  readonly width: number;
  readonly strips: number;
  readonly doubled: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  height: fc.integer({ min: 9, max: 40 }),
  width: fc.integer({ min: 1, max: 40 }),
  strips: fc.integer({ min: 1, max: 3 }),
  doubled: fc.boolean(),
});

Deno.test("Winograd's convolutions equal direct ones, of any sides and strips", async () => {
  using folder = temporaryFolder();
  const weights = storedWeights(folder);
  await using runtime = new Runtime({ threads: 1 });
  await fc.assert(
    fc.asyncProperty(cases, async (sample) => {
      const { height, width, strips, doubled } = sample;
      const g = new Graph("convolutions", weights, { computeDtype: "float32" });
      const x = g.input("x", "float32", [1, FROM, "H", "W"]);
      const channels = { from: FROM, to: TO };
      const tiling = new Winograd(g, {
        strips,
        doubledStrips: strips,
        uneven: true,
      });
      // The second convolution shares values with the first.
      const results = [x, g.apply("Neg", [x])].flatMap((input) => [
        conv(g, doubled ? enlarge(g, input, 2) : input, "conv", {
          ...channels,
          kernel: 3,
        }),
        tiling[doubled ? "doubled" : "same"](input, "conv", channels),
      ]);
      const factor = doubled ? 2 : 1;
      const sides = [1, TO, factor * height, factor * width];
      const names = ["direct", "tiled", "direct of −x", "tiled of −x"];
      for (const [i, y] of results.entries()) {
        g.output(names[i]!, y, "float32", [1, TO, "h", "w"]);
      }
      await using session = await runtime.session(g.build().model, {
        weightFolder: folder.path,
        prepack: false,
      });
      using stack = new DisposableStack();
      const binding = stack.use(session.bind());
      const area = FROM * height * width;
      const input = runtime.tensor(noise(area, 1), [
        1,
        FROM,
        height,
        width,
      ]);
      binding.input("x", stack.use(input));
      const outputs = names.map((name) => {
        const values = new Float32Array(sides.reduce((a, b) => a * b));
        binding.output(name, stack.use(runtime.tensor(values, sides)));
        return values;
      });
      await binding.run();
      for (const at of [0, 2]) {
        const [expected, actual] = outputs.slice(at);
        const worst = maxDifference(actual!, expected!);
        ok(worst < TOLERANCE, `${names[at]}: ${worst}`);
        ok(expected!.some((value) => Math.abs(value) > 0.1));
      }
    }),
    { numRuns: 60 },
  );
});
