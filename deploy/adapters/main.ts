/**
 * The command for adapters: `deno task adapters merge`.
 *
 * @module
 */

import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring, withoutQuery } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import {
  type CommandSignals,
  errorOutput,
  runCommand,
  say,
} from "../command/run_command.ts";
import { parseArguments, USAGE } from "./arguments.ts";
import { mergeAdapter, MergeError } from "./merge.ts";

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    expected: [MergeError, SourceError, DiskError],
    run: merge,
  });
}

async function merge({ stop, release }: CommandSignals): Promise<void> {
  const { adapter, model, target } = parseArguments(Deno.args);
  const report = new Report(errorOutput());
  const folder = await bring(model, placesFrom(), report, stop.signal);
  // A partial result is replaced by the next run.
  release();
  await mergeAdapter(adapter, folder, target);
  say(`${target} holds ${withoutQuery(model)} with ${adapter}`);
}
