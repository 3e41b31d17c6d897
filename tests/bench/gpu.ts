// deno-lint-ignore-file no-console -- a report for people
/**
 * The benchmark of Emu3 on a GPU, for its first ten minutes: parity with the
 * CPU, kernels of attention, steps and windows beside the device's bandwidth,
 * many pictures at once, time to ready.
 *
 * ```sh
 * deno task bench:gpu FOLDER --prepare   # writes 24 GB of checkpoints, without a GPU
 * deno task bench:gpu FOLDER             # DEVICE=cuda; run again to continue
 * DEVICE=cpu SIZES=small deno task bench:gpu FOLDER   # tries the bench itself
 * ```
 *
 * Each part stores its rows under `FOLDER/results-{device}` before the next
 * begins; none begins after `BUDGET_S` seconds, 600 by default. The last line is
 * one JSON object. Keep results in RESULTS.md.
 *
 * @module
 */

import { join } from "node:path";
import { openDevice } from "../../functions/models/device.ts";
import { readEnvironment, thisMachine } from "../../functions/env.ts";
import { tinyFolder } from "../support/tiny.ts";
import { runParts, type Workload } from "./gpu/bench_part.ts";
import { prepareCheckpoints } from "./gpu/checkpoints.ts";
import { CODES, PICTURES } from "./gpu/parity_parts.ts";
import { ATTENTION, CROWD, READY, STEPS } from "./gpu/speed_parts.ts";

const MINI = new URL("../../models/emu3-mini", import.meta.url).pathname;
const MINI_VISION = `${MINI}-visiontokenizer`;

const WORKLOAD: Workload = {
  vision: MINI_VISION,
  pictureSides: [256, 320],
  tokens: [64, 13, 13, 23],
  compared: [tinyFolder("emu3-tiny"), MINI],
  comparedSide: 16,
  positions: [0, 4000, 8000],
  windows: [8, 16],
  runs: 10,
  crowds: [1, 4, 16],
};

const SMALL_WORKLOAD: Workload = {
  ...WORKLOAD,
  pictureSides: [32, 48],
  compared: [tinyFolder("emu3-tiny")],
  comparedSide: 4,
  positions: [0, 64],
  windows: [4],
  runs: 2,
  crowds: [2],
};

const small = Deno.env.get("SIZES") === "small";
const root = Deno.args.find((argument) => !argument.startsWith("--")) ??
  await Deno.makeTempDir({ prefix: "emu3-bench-" });
const environment = readEnvironment(
  thisMachine(),
  (name) => Deno.env.get(name) ?? (name === "DEVICE" ? "cuda" : undefined),
);
const { threads, device } = environment;
const checkpoints = await prepareCheckpoints(root, { small, threads });
console.log(`checkpoints are in ${root}`);
if (!Deno.args.includes("--prepare")) {
  const results = await runParts(
    [CODES, ATTENTION, PICTURES, STEPS, CROWD, READY],
    {
      ...checkpoints,
      workload: small ? SMALL_WORKLOAD : WORKLOAD,
      open: (cudaAttention) =>
        openDevice({ ...environment, cudaAttention, warn: console.error }),
    },
    {
      folder: join(root, `results-${device}`),
      budgetSeconds: Number(Deno.env.get("BUDGET_S") ?? 600),
      now: () => performance.now(),
      print: console.log,
    },
  );
  console.log(`\n${JSON.stringify(results)}`);
}
