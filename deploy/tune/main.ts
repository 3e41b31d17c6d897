/**
 * The command that tunes a checkpoint: `deno task tune`.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../../lib/command_line.ts";
import { Emu3Error } from "../../lib/errors.ts";
import { parseJsonFile } from "../../lib/loading/json_file.ts";
import { openRuntime } from "../../lib/runtime/open_runtime.ts";
import {
  containerAllowance,
  threadsWithin,
} from "../../lib/runtime/memory/cgroup_limits.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import { EMBEDDED_MODEL } from "../prepare/locate_model.ts";
import { openPrepared } from "../prepare/open_prepared.ts";
import { PreparedSetError } from "../prepare/preparation_error.ts";
import { parseArguments, type TuneArguments, USAGE } from "./arguments.ts";
import { planTable } from "./print_plan.ts";
import { tune } from "./tune.ts";

/** Exit codes: failure, invalid usage, interruption. */
const FAILED = 1;
const MISUSED = 2;
const INTERRUPTED = 130;

if (import.meta.main) {
  // `deno task` changes to its own folder; paths are relative to the caller's.
  const caller = Deno.env.get("INIT_CWD");
  if (caller !== undefined) Deno.chdir(caller);
  if (Deno.args.includes("--help")) say(USAGE);
  else await main();
}

async function main(): Promise<void> {
  const stop = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) {
    // The first one ends the run after its step, the second one at once.
    Deno.addSignalListener(name, () => {
      if (stop.signal.aborted) Deno.exit(INTERRUPTED);
      stop.abort();
    });
  }
  try {
    const given = parseArguments(Deno.args);
    const report = new Report({
      terminal: Deno.stderr.isTerminal(),
      write: complain,
      now: () => performance.now(),
    });
    const folder = given.model === undefined
      ? EMBEDDED_MODEL
      : await bring(given.model, placesFrom(), report, stop.signal);
    const finished = given.plan
      ? await plan(given, folder)
      : await run(given, folder, stop.signal);
    Deno.exit(finished ? 0 : INTERRUPTED);
  } catch (error) {
    if (error instanceof UsageError) leave(error.message, MISUSED);
    const expected = error instanceof Emu3Error ||
      error instanceof SourceError || error instanceof DiskError ||
      error instanceof PreparedSetError;
    if (expected) leave(error.message, FAILED);
    throw error;
  }
}

async function plan(given: TuneArguments, folder: string): Promise<boolean> {
  const config = await parseJsonFile(
    join(folder, "config.json"),
    parseLanguageConfig,
  );
  const tokens = given.maxTokens ?? config.maxPositions;
  say(planTable(config, given.settings.method, tokens));
  return true;
}

async function run(
  given: TuneArguments,
  folder: string,
  stop: AbortSignal,
): Promise<boolean> {
  await using set = await openPrepared(given.data!);
  await using runtime = await runtimeFrom();
  const { available } = Deno.systemMemoryInfo();
  const { memoryBytes = Infinity } = containerAllowance();
  return await tune({ ...given, out: given.out! }, {
    runtime,
    availableBytes: runtime.deviceMemoryBytes ??
      Math.min(available, memoryBytes),
    modelFolder: folder,
    set,
    terminal: Deno.stderr.isTerminal(),
    write: complain,
    now: () => performance.now(),
    stop,
  });
}

/** Opens the device that the environment asks for; the CPU by default. */
async function runtimeFrom(): Promise<Runtime> {
  const device = Deno.env.get("DEVICE") ?? "cpu";
  if (device !== "cpu") {
    leave(`Cannot tune: DEVICE "${device}" is not supported, use cpu`, FAILED);
  }
  return await openRuntime({
    threads: threadsWithin(
      navigator.hardwareConcurrency,
      containerAllowance(),
    ),
    device,
    computeDtype: undefined,
    library: undefined,
    deviceMemoryBytes: undefined,
    warn: (line) => complain(`${line}\n`),
  });
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
