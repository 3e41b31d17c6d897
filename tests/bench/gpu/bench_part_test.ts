import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { tinyFolder } from "../../support/tiny.ts";
import {
  type BenchPart,
  type GpuBench,
  markdown,
  type RunOptions,
  runParts,
} from "./bench_part.ts";
import { prepareCheckpoints } from "./checkpoints.ts";
import { CODES, PICTURES } from "./parity_parts.ts";
import { ATTENTION, CROWD, READY, STEPS } from "./speed_parts.ts";

/** The conditions of a run on the CPU; no part of the tests' own reads them. */
const BENCH: GpuBench = {
  open: () => Promise.resolve(new Runtime({ threads: 1 })),
  checkpoints: {},
  shallow: "",
  workload: {
    vision: tinyFolder("emu3-tiny-visiontokenizer"),
    pictureSides: [16, 24],
    tokens: [8, 3],
    compared: [tinyFolder("emu3-tiny")],
    comparedSide: 2,
    positions: [0, 4],
    windows: [2],
    runs: 1,
    crowds: [2],
  },
};

function options(folder: string, changes: Partial<RunOptions> = {}) {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const all: RunOptions = {
    folder,
    budgetSeconds: 600,
    now: () => 0,
    print,
    ...changes,
  };
  return { lines, options: all };
}

/** A part that counts its runs, and yields rows until it fails, if it does. */
function counted(name: string, failures = 0) {
  const part = {
    name,
    title: name,
    runs: 0,
    async *run() {
      part.runs++;
      yield { run: part.runs };
      if (part.runs <= failures) throw new Error(`no ${name}`);
    },
  };
  return part satisfies BenchPart;
}

Deno.test("Every part of the GPU benchmark runs, here on the CPU", async () => {
  using folder = temporaryFolder();
  const small = { small: true, threads: 1 };
  const checkpoints = await prepareCheckpoints(folder.path, small);
  deepStrictEqual(await prepareCheckpoints(folder.path, small), checkpoints);
  const parts = [CODES, ATTENTION, PICTURES, STEPS, CROWD, READY];
  const results = await runParts(
    parts,
    { ...BENCH, ...checkpoints },
    options(`${folder.path}/results`).options,
  );
  deepStrictEqual(Object.keys(results), parts.map(({ name }) => name));
  for (const [name, { rows, error }] of Object.entries(results)) {
    strictEqual(error, undefined, name);
    ok(rows.length > 0, name);
  }
  for (const row of results["codes"]!.rows) {
    ok(["", 0].includes(row["above the margin"]!));
  }
  const [pictures] = results["pictures"]!.rows;
  strictEqual(pictures!["codes"], 4);
  strictEqual(pictures!["equal before the first difference"], 4);
});

Deno.test("runParts() stores a part before the next, and runs only what is missing", async () => {
  using folder = temporaryFolder();
  const [first, second] = [counted("first"), counted("second", 1)];
  const stored = () =>
    JSON.parse(Deno.readTextFileSync(`${folder.path}/first.json`));
  const looks: BenchPart = {
    name: "looks",
    title: "looks",
    async *run() {
      yield { rows: stored().rows.length };
    },
  };
  const parts = [first, looks, second];
  const failed = await runParts(parts, BENCH, options(folder.path).options);
  deepStrictEqual(failed["looks"]!.rows, [{ rows: 1 }]);
  match(failed["second"]!.error!, /no second/);
  deepStrictEqual(failed["second"]!.rows, [{ run: 1 }]);
  const results = await runParts(parts, BENCH, options(folder.path).options);
  strictEqual(first.runs, 1);
  strictEqual(second.runs, 2);
  strictEqual(results["second"]!.error, undefined);
});

Deno.test("runParts() goes on after a part that fails, and says why", async () => {
  using folder = temporaryFolder();
  const { lines, options: how } = options(folder.path);
  const results = await runParts(
    [counted("bad", 1), counted("good")],
    BENCH,
    how,
  );
  deepStrictEqual(results["good"]!.rows, [{ run: 1 }]);
  ok(lines.includes("ended early: no bad"));
});

Deno.test("runParts() begins no part after the budget", async () => {
  using folder = temporaryFolder();
  let seconds = 0;
  const now = () => 1000 * (seconds += 10);
  const late = counted("late");
  const { lines, options: how } = options(folder.path, {
    now,
    budgetSeconds: 25,
  });
  const results = await runParts([counted("early"), late], BENCH, how);
  deepStrictEqual(Object.keys(results), ["early"]);
  strictEqual(late.runs, 0);
  ok(lines.some((line) => line.includes("late: not run, 25 s are over")));
});

Deno.test("markdown() has a line for each row, and for its names", () => {
  strictEqual(
    markdown([{ what: "a", ms: 1 }, { what: "b", ms: 2 }]),
    "| what | ms |\n| --- | --: |\n| a | 1 |\n| b | 2 |",
  );
  strictEqual(markdown([]), "no rows");
});
