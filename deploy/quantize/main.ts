/**
 * The command that stores a checkpoint in fewer bits: `deno task quantize`.
 *
 * @module
 */

import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring, withoutQuery } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import { Emu3Error } from "../../lib/errors.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/memory/cgroup_limits.ts";
import { VERSION } from "../../lib/version.ts";
import { parseArguments, USAGE } from "./arguments.ts";
import { UsageError } from "../../lib/command_line.ts";

/** Exit codes: failure, invalid usage, interruption. */
const FAILED = 1;
const MISUSED = 2;
const INTERRUPTED = 130;

if (import.meta.main) {
  if (Deno.args.includes("--help")) say(USAGE);
  else await main();
}

async function main(): Promise<void> {
  const stop = new AbortController();
  try {
    const { source, precision, target } = parseArguments(Deno.args);
    const report = new Report({
      terminal: Deno.stderr.isTerminal(),
      write: complain,
      now: () => performance.now(),
    });
    const folder = await obtained(source, report, stop);
    const steps = quantizeCheckpoint(folder, target, {
      precision,
      threads: threadsWithin(
        navigator.hardwareConcurrency,
        containerAllowance(),
      ),
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
  } catch (error) {
    if (stop.signal.aborted) leave("Interrupted", INTERRUPTED);
    if (error instanceof UsageError) leave(error.message, MISUSED);
    const expected = error instanceof Emu3Error ||
      error instanceof SourceError || error instanceof DiskError;
    if (expected) leave(error.message, FAILED);
    throw error;
  }
}

/**
 * Returns the folder of `source`; signals end its download, which can be
 * resumed.
 */
async function obtained(
  source: string,
  report: Report,
  stop: AbortController,
): Promise<string> {
  const abort = () => stop.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) Deno.addSignalListener(name, abort);
  try {
    return await bring(source, placesFrom(), report, stop.signal);
  } finally {
    for (const name of signals) Deno.removeSignalListener(name, abort);
  }
}

function leave(message: string, code: number): never {
  complain(`${message}\n`);
  Deno.exit(code);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
