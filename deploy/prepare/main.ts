/**
 * The command that encodes pictures for tuning: `deno task prepare-data`.
 *
 * ```text
 * words ─▶ input recognized ─▶ models or servers ─▶ set, record by record
 * ```
 *
 * @module
 */

import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/memory/cgroup_limits.ts";
import { DiskError } from "../cache/base/disk.ts";
import { SourceError } from "../cache/locate.ts";
import {
  type CommandSignals,
  errorOutput,
  runCommand,
  say,
} from "../command/run_command.ts";
import { parseArguments, type PrepareArguments, USAGE } from "./arguments.ts";
import { deviceFrom } from "../command/device.ts";
import { openLocalEncoder } from "./encoding/local_encoder.ts";
import type { PictureEncoder } from "./encoding/picture_encoder.ts";
import { openRemoteEncoder } from "./encoding/remote_encoder.ts";
import { SERVER_OPTIONS } from "./encoding/server.ts";
import { locateModel } from "./locate_model.ts";
import { prepareSet } from "./prepare_set.ts";
import type { ReportOptions } from "../models/report.ts";
import { ProgressReport } from "./progress_report.ts";

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    expected: [SourceError, DiskError],
    interrupted: "Interrupted; run it again to resume",
    run: prepare,
  });
}

async function prepare({ stop }: CommandSignals): Promise<void> {
  const output = errorOutput();
  const words = parseArguments(Deno.args);
  for (const line of await run(words, output, stop)) say(line);
}

/** Prepares the set, and returns the lines that describe it. */
async function run(
  words: PrepareArguments,
  output: ReportOptions,
  stop: AbortController,
): Promise<readonly string[]> {
  const { signal } = stop;
  const report = new ProgressReport(output);
  try {
    const { folder, format, counts, untitled } = await prepareSet(words, {
      openEncoder: () => openEncoder(words, output, signal),
      server: serverOptions(),
      onProgress: (progress, counts) => report.show(progress, counts),
    }, signal);
    const { stored, failed, duplicates } = counts;
    const notices = [
      [failed, "cannot be used, see errors.jsonl"],
      [duplicates, "repeat a picture, see duplicates.jsonl"],
      [untitled, "have no text"],
    ] as const;
    return [
      `${folder} holds ${stored} records of ${words.input} (${format})`,
      ...notices.filter(([count]) => count > 0)
        .map(([count, what]) => `${count} ${what}`),
    ];
  } finally {
    report.clear();
  }
}

async function openEncoder(
  words: PrepareArguments,
  output: ReportOptions,
  signal: AbortSignal,
): Promise<PictureEncoder> {
  const { resize, imageArea } = words;
  const threads = words.threads ??
    threadsWithin(navigator.hardwareConcurrency, containerAllowance());
  if (words.endpoints.length > 0) {
    return await openRemoteEncoder({
      ...{ endpoints: words.endpoints, threads, resize, imageArea },
      server: serverOptions(),
    }, signal);
  }
  const model = await locateModel(words, output, signal);
  return await openLocalEncoder({
    ...await deviceFrom(),
    ...{ folder: model.vision, threads, resize },
    warn: (line) => output.write(`${line}\n`),
    imageArea: imageArea ?? model.imageArea,
  });
}

function serverOptions() {
  return {
    ...SERVER_OPTIONS,
    apiKey: Deno.env.get("EMU3_API_KEY") || undefined,
    now: Date.now,
  };
}
