/**
 * The command that encodes pictures for tuning: `deno task prepare-data`.
 *
 * ```text
 * words ─▶ input recognized ─▶ models or servers ─▶ set, record by record
 * ```
 *
 * @module
 */

import { isAbsolute, join, relative, resolve } from "node:path";
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
import { captionerOf } from "./encoding/captioner.ts";
import { openLocalEncoder } from "./encoding/local_encoder.ts";
import type { PictureEncoder } from "./encoding/picture_encoder.ts";
import { openRemoteEncoder } from "./encoding/remote_encoder.ts";
import { SERVER_OPTIONS } from "./encoding/server.ts";
import { locateModel } from "./locate_model.ts";
import { PreparedOutput } from "./output/prepared_output.ts";
import { PreparationError } from "./preparation_error.ts";
import { type InputPart, prepareData } from "./prepare_data.ts";
import type { ReportOptions } from "../models/report.ts";
import { ProgressReport } from "./progress_report.ts";
import { openSource } from "./readers/open_source.ts";

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
  const { input, format, form, columns, part, resize } = words;
  refuseWithin(input, words.out);
  const source = await openSource(input, format, columns);
  await using encoder = await openEncoder(words, output, signal);
  const folder = part === undefined
    ? words.out
    : join(words.out, partFolder(part));
  await using set = await PreparedOutput.open(folder, {
    ...words,
    settings: {
      input: resolve(input),
      form,
      shard: part && `${part.index}/${part.count}`,
      resize,
      "image_area": resize === "released" ? encoder.imageArea : undefined,
      tokenizer: { ...encoder.tokenizer },
    },
  });
  const report = new ProgressReport(output);
  try {
    const { untitled } = await prepareData({
      ...{ source, encoder, output: set, part, signal },
      captioner: words.captionWith.length === 0 ? undefined : captionerOf(
        words.captionWith,
        words.captionQuestion,
        serverOptions(),
      ),
      maxErrors: words.maxErrors,
      onProgress: (progress) => report.show(progress, set.counts),
    });
    const { stored, failed, duplicates } = set.counts;
    const notices = [
      [failed, "cannot be used, see errors.jsonl"],
      [duplicates, "repeat a picture, see duplicates.jsonl"],
      [untitled, "have no text"],
    ] as const;
    return [
      `${folder} holds ${stored} records of ${input} (${source.format})`,
      ...notices.filter(([count]) => count > 0)
        .map(([count, what]) => `${count} ${what}`),
    ];
  } finally {
    report.clear();
  }
}

/** Refuses an output that the next run would find in its input. */
function refuseWithin(input: string, out: string): void {
  const path = relative(resolve(input), resolve(out));
  if (path.startsWith("..") || isAbsolute(path)) return;
  throw new PreparationError(
    `${out} lies within the input ${input}, name another --out`,
  );
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

function partFolder({ index, count }: InputPart): string {
  const digits = (number: number) => String(number).padStart(5, "0");
  return `shard-${digits(index)}-of-${digits(count)}`;
}
