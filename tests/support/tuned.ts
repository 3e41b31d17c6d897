/**
 * Short runs of the tuning command, on a tiny checkpoint and a set in memory.
 *
 * @module
 */

import { join } from "node:path";
import { parseArguments } from "../../deploy/tune/arguments.ts";
import { tune } from "../../deploy/tune/tune.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { tinyFolder } from "./tiny.ts";
import { memorySet, tinyRecords } from "./tuning_set.ts";

/** Options of a short run. */
export const SHORT: readonly string[] = [
  "--steps",
  "6",
  "--batch",
  "2",
  "--warmup",
  "2",
  "--rank",
  "4",
  "--learning-rate",
  "1e-2",
  "--max-tokens",
  "128",
  "--save-every",
  "2",
];

/** Runs the command on the tiny checkpoint; returns its notes. */
export async function tuned(
  out: string,
  words: readonly string[],
  {
    model = "emu3-tiny",
    records = 9,
    replayed = false,
    availableBytes = 2 ** 40,
    stopAfter = Infinity,
    threads = 1,
    visionFolder,
  }: {
    readonly model?: string;
    readonly records?: number;
    readonly replayed?: boolean;
    readonly availableBytes?: number;
    readonly stopAfter?: number;
    readonly threads?: number;
    readonly visionFolder?: string;
  } = {},
): Promise<string> {
  const stop = new AbortController();
  let notes = "";
  await using runtime = new Runtime({ threads });
  const given = parseArguments(
    ["data", "--model", model, "--out", out, ...words],
  );
  await tune({ ...given, out }, {
    runtime,
    availableBytes,
    modelFolder: model.includes("/") ? model : tinyFolder(model),
    visionFolder,
    set: memorySet(
      tinyRecords(records).map((record) => ({ ...record, replayed })),
    ),
    terminal: false,
    write: (text) => {
      notes += text;
      if ((notes.match(/"event":"progress"/g)?.length ?? 0) >= stopAfter) {
        stop.abort();
      }
    },
    // Ten seconds a step, so that each is told.
    now: (() => {
      let time = 0;
      return () => time += 10_000;
    })(),
    stop: stop.signal,
  });
  return notes;
}

/** Returns the lines of metrics. */
export async function metricsOf(
  out: string,
  // deno-lint-ignore no-explicit-any
): Promise<any[]> {
  const text = await Deno.readTextFile(join(out, "metrics.jsonl"));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}
