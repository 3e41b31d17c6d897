/**
 * The command that stores a checkpoint in fewer bits: `deno task quantize`.
 *
 * @module
 */

import { locate, placesFrom, SourceError } from "../cache/locate.ts";
import { Emu3Error } from "../../lib/errors.ts";
import { quantizeCheckpoint } from "../../lib/quantization/quantize_checkpoint.ts";
import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/allowance.ts";
import { VERSION } from "../../functions/version.ts";
import { parseArguments, USAGE, UsageError } from "./arguments.ts";
import { ProgressReport } from "./progress_report.ts";

/** Exit codes: it failed, and it was asked wrongly. */
const FAILED = 1;
const MISUSED = 2;

if (import.meta.main) {
  if (Deno.args.includes("--help")) say(USAGE);
  else await main();
}

async function main(): Promise<void> {
  try {
    const { source, precision, target } = parseArguments(Deno.args);
    const folder = await locate(source, placesFrom());
    const report = new ProgressReport({
      terminal: Deno.stderr.isTerminal(),
      write: complain,
      now: () => performance.now(),
    });
    const progress = quantizeCheckpoint(folder, target, {
      precision,
      threads: threadsWithin(
        navigator.hardwareConcurrency,
        containerAllowance(),
      ),
      program: `emu3 ${VERSION}`,
    });
    for await (const step of progress) report.show(step);
    report.end();
    say(`${target} holds ${source} in ${precision}`);
  } catch (error) {
    if (error instanceof UsageError) leave(error.message, MISUSED);
    if (error instanceof Emu3Error || error instanceof SourceError) {
      leave(error.message, FAILED);
    }
    throw error;
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
