/**
 * The command that tunes a checkpoint: `deno task tune`.
 *
 * @module
 */

import { join } from "node:path";
import { parseJsonFile } from "../../lib/loading/json_file.ts";
import { parseLanguageConfig } from "../../models/config/language_config.ts";
import { DiskError } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring } from "../models/pull.ts";
import { Report } from "../models/report.ts";
import { EMBEDDED_MODEL } from "../prepare/locate_model.ts";
import { deviceFrom } from "../command/device.ts";
import { openMachine } from "../command/machine.ts";
import {
  type CommandSignals,
  errorOutput,
  INTERRUPTED,
  runCommand,
  say,
} from "../command/run_command.ts";
import { parseArguments, type TuneArguments, USAGE } from "./arguments.ts";
import { openData } from "./open_data.ts";
import { planTable } from "./print_plan.ts";
import { tune } from "./tune.ts";

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    expected: [SourceError, DiskError],
    run: start,
  });
}

async function start({ stop }: CommandSignals): Promise<number> {
  const given = parseArguments(Deno.args);
  const report = new Report(errorOutput());
  const folder = given.model === undefined
    ? EMBEDDED_MODEL
    : await bring(given.model, placesFrom(), report, stop.signal);
  if (given.plan) {
    await plan(given, folder);
    return 0;
  }
  const vision = given.visionModel === undefined
    ? undefined
    : await bring(given.visionModel, placesFrom(), report, stop.signal);
  const finished = await run(given, { model: folder, vision }, stop.signal);
  return finished ? 0 : INTERRUPTED;
}

async function plan(given: TuneArguments, folder: string): Promise<void> {
  const config = await parseJsonFile(
    join(folder, "config.json"),
    parseLanguageConfig,
  );
  const tokens = given.maxTokens ?? config.maxPositions;
  say(planTable(config, given.settings.method, tokens));
}

async function run(
  given: TuneArguments,
  folders: { readonly model: string; readonly vision: string | undefined },
  stop: AbortSignal,
): Promise<boolean> {
  await using set = await openData(given.data!, given.replay);
  const output = errorOutput();
  const { device, library } = await deviceFrom();
  const { runtime, availableBytes } = await openMachine(
    { device: device === "auto" ? "cpu" : device, library },
    (line) => output.write(`${line}\n`),
  );
  await using _runtime = runtime;
  return await tune({ ...given, out: given.out! }, {
    ...output,
    runtime,
    availableBytes,
    modelFolder: folders.model,
    visionFolder: folders.vision,
    set,
    stop,
  });
}
