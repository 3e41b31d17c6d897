/**
 * The parts of the GPU benchmark: run one after the other within a budget of
 * time, each with a result that is stored before the next begins.
 *
 * A part with a stored result is not run again, so that a run that ended early
 * continues where it was. A part that fails is stored with its error, and run
 * again by the next run.
 *
 * @module
 */

import { join } from "node:path";
import type { CudaAttention } from "../../../lib/runtime/provider.ts";
import type { Runtime } from "../../../lib/runtime/runtime.ts";

/** A row of a table. */
export type BenchRow = Readonly<Record<string, string | number>>;

/** The sizes of all parts. */
export interface Workload {
  /** Folder of the vision tokenizer that encodes pictures of several sizes. */
  readonly vision: string;
  /** Pixels along each side of pictures whose sizes alternate. */
  readonly pictureSides: readonly number[];
  /** Tokens of runs by which kernels of attention are compared. */
  readonly tokens: readonly number[];
  /** Folders of language models whose greedy pictures are compared. */
  readonly compared: readonly string[];
  /** Codes along each side of these pictures. */
  readonly comparedSide: number;
  /** Tokens before a timed step. */
  readonly positions: readonly number[];
  /** Tokens of each row of a timed step. */
  readonly windows: readonly number[];
  /** Timed steps. */
  readonly runs: number;
  /** Numbers of guided pictures that are drawn at once. */
  readonly crowds: readonly number[];
}

/** The conditions of a run. */
export interface GpuBench {
  /** Opens a runtime on the device. */
  readonly open: (attention?: CudaAttention) => Promise<Runtime>;
  /** Folders of the timed checkpoint by precision. */
  readonly checkpoints: Readonly<Record<string, string>>;
  /** Folder of a checkpoint with few layers. */
  readonly shallow: string;
  /** Sizes of all parts. */
  readonly workload: Workload;
}

/** A part of the benchmark. */
export interface BenchPart {
  /** Name of the stored result. */
  readonly name: string;
  /** Title of the table. */
  readonly title: string;
  /** Yields the rows as they are measured. */
  readonly run: (bench: GpuBench) => AsyncIterable<BenchRow>;
}

/** The stored result of a part. */
export interface PartResult {
  /** Rows that were measured. */
  readonly rows: readonly BenchRow[];
  /** Seconds that the part took. */
  readonly seconds: number;
  /** Error that ended the part early, if any. */
  readonly error?: string;
}

/** Options of {@linkcode runParts}. */
export interface RunOptions {
  /** Folder of the results. */
  readonly folder: string;
  /** Seconds after which no part begins. */
  readonly budgetSeconds: number;
  /** Returns the milliseconds of a clock. */
  readonly now: () => number;
  /** Prints a line. */
  readonly print: (line: string) => void;
}

/**
 * Runs the parts without a stored result, in order.
 *
 * @returns Results by name; a part that did not begin has none.
 */
export async function runParts(
  parts: readonly BenchPart[],
  bench: GpuBench,
  { folder, budgetSeconds, now, print }: RunOptions,
): Promise<Record<string, PartResult>> {
  await Deno.mkdir(folder, { recursive: true });
  const started = now();
  const results: Record<string, PartResult> = {};
  for (const part of parts) {
    const path = join(folder, `${part.name}.json`);
    let result = await storedResult(path);
    const spent = (now() - started) / 1000;
    if (result === undefined && spent > budgetSeconds) {
      print(`\n${part.title}: not run, ${budgetSeconds} s are over`);
      continue;
    }
    result ??= await runPart(part, bench, { path, now });
    results[part.name] = result;
    print(`\n${part.title} (${result.seconds.toFixed(1)} s)`);
    print(markdown(result.rows));
    if (result.error !== undefined) print(`ended early: ${result.error}`);
  }
  return results;
}

async function runPart(
  part: BenchPart,
  bench: GpuBench,
  { path, now }: { readonly path: string } & Pick<RunOptions, "now">,
): Promise<PartResult> {
  const started = now();
  const rows: BenchRow[] = [];
  let error: string | undefined;
  try {
    for await (const row of part.run(bench)) {
      rows.push(row);
      const left = "the process ended in this part";
      await store(path, {
        rows,
        seconds: (now() - started) / 1000,
        error: left,
      });
    }
  } catch (cause) {
    error = cause instanceof Error ? cause.message : String(cause);
  }
  const seconds = (now() - started) / 1000;
  const result = { rows, seconds, ...(error !== undefined && { error }) };
  await store(path, result);
  return result;
}

/** Returns a stored result without an error; undefined if there is none. */
async function storedResult(path: string): Promise<PartResult | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const result: PartResult = JSON.parse(text);
  return result.error === undefined ? result : undefined;
}

/** Replaces the file, so that it is whole at any time. */
async function store(path: string, result: PartResult): Promise<void> {
  await Deno.writeTextFile(`${path}.part`, JSON.stringify(result, null, 2));
  await Deno.rename(`${path}.part`, path);
}

/** Formats rows as a Markdown table. */
export function markdown(rows: readonly BenchRow[]): string {
  const [first] = rows;
  if (first === undefined) return "no rows";
  const names = Object.keys(first);
  const lines = [
    names,
    names.map((name) => typeof first[name] === "number" ? "--:" : "---"),
    ...rows.map((row) => names.map((name) => row[name] ?? "")),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
