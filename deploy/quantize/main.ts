/**
 * The command that stores a checkpoint in fewer bits: `deno task quantize`.
 *
 * @module
 */

import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring, withoutQuery } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import { writeKvScales } from "../../lib/calibration/kv_scales.ts";
import { openLanguageCheckpoint } from "../../lib/loading/checkpoint.ts";
import { openTextSide } from "../../lib/loading/text_files.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/memory/cgroup_limits.ts";
import { VERSION } from "../../lib/version.ts";
import {
  type CommandSignals,
  errorOutput,
  runCommand,
  say,
} from "../command/run_command.ts";
import { parseArguments, USAGE } from "./arguments.ts";

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    expected: [SourceError, DiskError],
    run: quantize,
  });
}

async function quantize({ stop, release }: CommandSignals): Promise<void> {
  const { source, precision, target, kvScales } = parseArguments(Deno.args);
  const report = new Report(errorOutput());
  const folder = await bring(source, placesFrom(), report, stop.signal);
  // A run that is killed is resumed from its journal.
  release();
  const threads = threadsWithin(
    navigator.hardwareConcurrency,
    containerAllowance(),
  );
  const steps = quantizeCheckpoint(folder, target, {
    precision,
    threads,
    program: `emu3 ${VERSION}`,
  });
  for await (const { doneBytes: bytes, totalBytes } of steps) {
    report.progress({ what: "quantizing", bytes, totalBytes });
  }
  if (kvScales) await calibrate(target, threads);
  const shown = withoutQuery(source);
  report.event(
    { event: "quantized", source: shown, precision, folder: target },
    `quantized ${shown}`,
  );
  say(`${target} holds ${shown} in ${precision}`);
}

/** Writes the scales of an int8 KV cache into the folder of a checkpoint. */
async function calibrate(folder: string, threads: number): Promise<void> {
  const checkpoint = await openLanguageCheckpoint(folder);
  const { text, vocabulary } = await openTextSide(checkpoint);
  using _ = text;
  await text.ready;
  await using runtime = new Runtime({ threads });
  await writeKvScales(runtime, checkpoint, { text, vocabulary });
}
