/**
 * The command that stores a checkpoint in fewer bits: `deno task quantize`.
 *
 * @module
 */

import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring, withoutQuery } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
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
  const { source, precision, target } = parseArguments(Deno.args);
  const report = new Report(errorOutput());
  const folder = await bring(source, placesFrom(), report, stop.signal);
  // A run that is killed is resumed from its journal.
  release();
  const steps = quantizeCheckpoint(folder, target, {
    precision,
    threads: threadsWithin(navigator.hardwareConcurrency, containerAllowance()),
    program: `emu3 ${VERSION}`,
  });
  for await (const { doneBytes: bytes, totalBytes } of steps) {
    report.progress({ what: "quantizing", bytes, totalBytes });
  }
  const shown = withoutQuery(source);
  report.event(
    { event: "quantized", source: shown, precision, folder: target },
    `quantized ${shown}`,
  );
  say(`${target} holds ${shown} in ${precision}`);
}
