import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { RuntimeError } from "../../../lib/errors.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import type { Dtype } from "../../../models/graph/dtype.ts";
import { Graph } from "../../../models/graph/graph.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const PREFIX = 3;

/**
 * Returns the graph of `y = x · Wᵀ` with W `[2, 3]` some bytes into the file at
 * `path`.
 */
function productOf(path: string, dtype: Dtype, length: number) {
  const g = new Graph("test", {
    find: (_, shape) => ({
      dtype,
      shape,
      location: path.slice(1),
      offset: PREFIX,
      length,
    }),
    findQuantized: () => undefined,
  }, { computeDtype: "float32", supplied: true });
  const x = g.input("x", "float32", ["B", 3]);
  const y = g.apply("FusedMatMul", [x, g.weight("w", [2, 3])], { transB: 1 });
  g.output("y", y, "float32", ["B", 2]);
  return g.build();
}

const WEIGHTS: readonly (readonly [Dtype, ArrayBufferView<ArrayBuffer>])[] = [
  ["float32", Float32Array.of(1, 2, 3, -1, 0.5, 4)],
  ["float16", Float16Array.of(1, 2, 3, -1, 0.5, 4)],
  [
    "bfloat16",
    Uint16Array.of(0x3f80, 0x4000, 0x4040, 0xbf80, 0x3f00, 0x4080),
  ],
];

for (const [dtype, data] of WEIGHTS) {
  Deno.test(`two sessions read the same ${dtype} weights, wherever they lie in a file`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/weights`;
    const bytes = new Uint8Array(PREFIX + data.byteLength);
    bytes.set(new Uint8Array(data.buffer), PREFIX);
    await Deno.writeFile(path, bytes);
    await using runtime = new Runtime({ threads: 1 });
    using weights = runtime.sharedWeights("/")!;
    for (const prepack of [true, false]) {
      const { model, supplied } = productOf(path, dtype, data.byteLength);
      await using session = await runtime.session(model, {
        weightFolder: "/",
        prepack,
        supply: { weights, supplied },
      });
      const y = new Float32Array(4);
      using input = runtime.tensor(Float32Array.of(1, 1, 1, 2, 0, 1), [2, 3]);
      using output = runtime.tensor(y, [2, 2]);
      using binding = session.bind().input("x", input).output("y", output);
      await binding.run();
      deepStrictEqual([...y], [6, 3.5, 5, 2]);
    }
  });
}

Deno.test("SharedWeights supplies a matrix as [in, out] if its graph requires it", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/weights`;
  await Deno.writeFile(
    path,
    new Uint8Array(Float32Array.of(1, 2, 3, -1, 0.5, 4).buffer),
  );
  await using runtime = new Runtime({ threads: 1 });
  using weights = runtime.sharedWeights("/")!;
  const g = new Graph("test", {
    find: (_, shape) => ({
      dtype: "float32",
      shape,
      location: path.slice(1),
      offset: 0,
      length: 24,
    }),
    findQuantized: () => undefined,
  }, { computeDtype: "float32", supplied: true });
  const x = g.input("x", "float32", ["B", 3]);
  const w = g.transposedWeight("w", [2, 3]);
  g.output("y", g.apply("MatMul", [x, w]), "float32", ["B", 2]);
  const { model, supplied } = g.build();
  await using session = await runtime.session(model, {
    weightFolder: "/",
    prepack: false,
    supply: { weights, supplied },
  });
  const y = new Float32Array(2);
  using input = runtime.tensor(Float32Array.of(1, 1, 1), [1, 3]);
  using output = runtime.tensor(y, [1, 2]);
  using binding = session.bind().input("x", input).output("y", output);
  await binding.run();
  deepStrictEqual([...y], [6, 3.5]);
});

Deno.test("Session refuses a weight that is not supplied, and never reads other numbers", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/weights`;
  await Deno.writeFile(path, new Uint8Array(2 ** 12));
  await using runtime = new Runtime({ threads: 1 });
  const { model } = productOf(path, "float32", 24);
  await rejects(
    runtime.session(model, { weightFolder: "/", prepack: false }),
    /External initializer: w .*out of bounds/s,
  );
});

Deno.test("SharedWeights refuses weights of a missing file", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/weights`;
  await using runtime = new Runtime({ threads: 1 });
  using weights = runtime.sharedWeights("/")!;
  const { model, supplied } = productOf(path, "float32", 24);
  const idle = runtime.alive;
  await rejects(
    runtime.session(model, {
      weightFolder: "/",
      prepack: true,
      supply: { weights, supplied },
    }),
    RuntimeError,
  );
  deepStrictEqual(runtime.alive, idle, "it leaves nothing");
});

Deno.test("SharedWeights casts a weight once, also for two that ask at the same time", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/weights`;
  await Deno.writeFile(path, new Uint8Array(PREFIX + 12));
  await using runtime = new Runtime({ threads: 1 });
  using weights = runtime.sharedWeights("/")!;
  const { supplied } = productOf(path, "float16", 12);
  const cast = { ...supplied[0]!, dtype: "float32" } as const;
  const [first, second] = await Promise.all([
    weights.tensor(cast),
    weights.tensor(cast),
  ]);
  ok(first === second);
});

// In processes of their own: memory is counted by process.
Deno.test("SharedWeights needs no more copies for more sessions", async () => {
  using folder = temporaryFolder();
  const script =
    new URL("../../support/share_weights.ts", import.meta.url).pathname;
  const grownBy = async (sharing: string) => {
    const path = `${folder.path}/${sharing}`;
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-check", script, path, sharing],
      stderr: "inherit",
    }).output();
    ok(success);
    return JSON.parse(new TextDecoder().decode(stdout));
  };
  // The least cost of one of two sessions: the other may pay for the garbage of
  // the process. Without sharing it is half of the packed bytes, with it none,
  // except for a matrix or two in transit.
  const least = ([, second, third]: number[]) => Math.min(second!, third!);
  const own = await grownBy("own");
  ok(least(own.grown) > own.packedBytes / 4, `without sharing: ${own.grown}`);
  const { packedBytes, grown } = await grownBy("shared");
  ok(least(grown) < packedBytes / 4, `${grown}`);
});
