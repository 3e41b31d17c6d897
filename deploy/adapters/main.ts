/**
 * The command for adapters: `deno task adapters merge`.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import { UsageError } from "../../lib/command_line.ts";
import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring, withoutQuery } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import { parseArguments, USAGE } from "./arguments.ts";
import { mergeAdapter, MergeError } from "./merge.ts";

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
  const abort = () => stop.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  try {
    const { adapter, model, target } = parseArguments(Deno.args);
    const report = new Report({
      terminal: Deno.stderr.isTerminal(),
      write: complain,
      now: () => performance.now(),
    });
    for (const name of signals) Deno.addSignalListener(name, abort);
    const folder = await bring(model, placesFrom(), report, stop.signal);
    // Only the download ends in order; what is written is removed next time.
    for (const name of signals) Deno.removeSignalListener(name, abort);
    await mergeAdapter(adapter, folder, target);
    say(`${target} holds ${withoutQuery(model)} with ${adapter}`);
  } catch (error) {
    if (stop.signal.aborted) leave("Interrupted", INTERRUPTED);
    if (error instanceof UsageError) leave(error.message, MISUSED);
    const expected = error instanceof Emu3Error ||
      error instanceof MergeError || error instanceof SourceError ||
      error instanceof DiskError;
    if (expected) leave(error.message, FAILED);
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
