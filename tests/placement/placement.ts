// deno-lint-ignore-file no-console -- a report for people
/**
 * The placement test of the CUDA path: opens every graph at three compute
 * capabilities, and reports where ONNX Runtime places its nodes.
 *
 * ```sh
 * deno run -A tests/placement/placement.ts <cache folder>
 * ```
 *
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { libraryIn } from "../../lib/runtime/library.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { SMALL_SIZES, writeMiddle } from "../bench/middle_checkpoint.ts";
import {
  type Placement,
  type Placements,
  readPlacements,
  strayNodes,
} from "./placements.ts";
import { CONTROL, TUNING } from "./recorded_runtime.ts";

/** Compute capabilities: Ampere, Hopper, and Blackwell of workstations. */
const CAPABILITIES = ["8.0", "9.0", "12.0"];

/** The maximum number of a tuning graph's nodes that compute shapes. */
const MOST_SHAPE_NODES = 6;

/** Two heads of the published size, 128. */
const SIZES = {
  ...SMALL_SIZES,
  "hidden_size": 256,
  "num_attention_heads": 2,
  "num_key_value_heads": 1,
};

const [cache] = Deno.args as [string];
const runtimeFolder = join(cache, "onnxruntime-gpu", "onnxruntime", "capi");
const names = Array.from(Deno.readDirSync(runtimeFolder), ({ name }) => name);
const library = libraryIn(runtimeFolder, names);
using checkpoints = temporaryFolder();
const folder = await writeCheckpoints(checkpoints.path);
const results = new Map<string, Placements>();
for (const capability of CAPABILITIES) {
  results.set(capability, await placementsAt(capability));
}
const table = tableOf(results);
console.log(table);
await Deno.writeTextFile(join(cache, "placement.md"), `${table}\n`);
for (const [capability, found] of results) assertOnCuda(capability, found);
console.log(
  `all nodes that compute are on CUDA at ${CAPABILITIES.join(", ")}`,
);

/** Writes a small checkpoint in each precision; returns their folder. */
async function writeCheckpoints(root: string): Promise<string> {
  const whole = join(root, "bf16");
  await Deno.mkdir(whole, { recursive: true });
  await writeMiddle(whole, "BF16", SIZES);
  for (const precision of ["int8", "int4"] as const) {
    const target = join(root, precision);
    const how = { precision, threads: 1, program: "placement" };
    for await (const _ of quantizeCheckpoint(whole, target, how));
  }
  return root;
}

/** Opens all graphs at a compute capability. */
async function placementsAt(capability: string): Promise<Placements> {
  const program = new URL("open_graphs.ts", import.meta.url).pathname;
  const { stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", program, library, folder],
    env: {
      LD_LIBRARY_PATH: join(cache, "stand_ins"),
      STAND_IN_CAPABILITY: capability.replace(".", ""),
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  await Deno.writeTextFile(join(cache, `messages-${capability}.txt`), text);
  const found = readPlacements(text);
  const ended = success
    ? []
    : [`the program ended early; see messages-${capability}.txt`];
  return { ...found, refused: [...found.refused, ...ended] };
}

/** Returns a row for each graph: sessions and nodes at each capability. */
function tableOf(results: ReadonlyMap<string, Placements>): string {
  const used = [...results].map(([capability, { placed }]) =>
    [capability, placed.filter(({ model }) => model !== CONTROL)] as const
  );
  const graphs = new Set(
    used.flatMap(([, placed]) => placed.map(({ graph }) => graph)),
  );
  const rows = [...graphs].map((graph) => {
    const of = used.flatMap(([, placed]) =>
      placed.filter((placement) => placement.graph === graph)
    );
    const counts = of.map(({ nodes }) =>
      Object.values(nodes).reduce((a, b) => a + b)
    );
    const strays = used.map(([, placed]) =>
      placed.filter((placement) => placement.graph === graph)
        .reduce((sum, placement) => sum + strayNodes(placement), 0)
    );
    const range = [...new Set([Math.min(...counts), Math.max(...counts)])];
    const sessions = Math.round(of.length / used.length);
    return [graph, sessions, range.join("–"), ...strays];
  });
  const header = [
    "graph",
    "sessions",
    "nodes",
    ...used.map(([capability]) => `elsewhere at ${capability}`),
  ];
  return [header, header.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Asserts that all nodes are on CUDA, and that the check can fail. */
function assertOnCuda(
  capability: string,
  { placed, missing, refused }: Placements,
): void {
  deepStrictEqual(refused, [], `refused at ${capability}`);
  deepStrictEqual(missing, [], `without a placement at ${capability}`);
  const used = placed.filter(({ model }) => model !== CONTROL);
  const stray = used.filter((placement) => strayNodes(placement) > 0);
  deepStrictEqual(
    stray.filter(({ model }) => model !== TUNING),
    [],
    `graphs with nodes elsewhere at ${capability}`,
  );
  for (const placement of stray) {
    ok(strayNodes(placement) <= MOST_SHAPE_NODES, placement.graph);
  }
  const control = placed.filter(({ model }) => model === CONTROL);
  ok(control.some((placement) => strayNodes(placement) > 0), "control");
  assertPadsRemain(used, control);
}

/** Asserts that no Pad was fused into the convolution after it. */
function assertPadsRemain(
  used: readonly Placement[],
  control: readonly Placement[],
): void {
  const padded = used.filter(({ pads = 0 }) => pads > 0);
  ok(padded.length > 0);
  for (const { graph, nodes, pads } of padded) {
    const plain = control.find((placement) => placement.graph === graph)!;
    const total = (counts: Placement["nodes"]) =>
      Object.values(counts).reduce((a, b) => a + b);
    strictEqual(total(nodes) - total(plain.nodes), pads, graph);
  }
}
