/**
 * The command that measures a model: `deno task evaluate`.
 *
 * ```text
 * words ─▶ models found ─▶ measures, record by record ─▶ table, JSON, page
 * ```
 *
 * @module
 */

import { dirname } from "node:path";
import { DiskError, onDisk } from "../cache/base/disk.ts";
import { placesFrom, SourceError } from "../cache/locate.ts";
import { bring, withoutQuery } from "../models/pull.ts";

import { deviceFrom } from "../command/device.ts";
import { openMachine } from "../command/machine.ts";
import { EMBEDDED_MODEL, locateModel } from "../prepare/locate_model.ts";
import { Report, type ReportOptions } from "../models/report.ts";
import {
  type CommandSignals,
  errorOutput,
  runCommand,
  say,
} from "../command/run_command.ts";
import { type EvaluateArguments, parseArguments, USAGE } from "./arguments.ts";
import { evaluate, type Evaluation } from "./evaluate.ts";
import { EvaluationError } from "./evaluation_error.ts";
import {
  evaluationJson,
  evaluationPage,
  evaluationRows,
  textTable,
} from "./evaluation_report.ts";

if (import.meta.main) {
  await runCommand({
    usage: USAGE,
    expected: [SourceError, DiskError],
    run: measure,
  });
}

async function measure({ stop }: CommandSignals): Promise<void> {
  const output = errorOutput();
  const given = parseArguments(Deno.args);
  await show(given, await run(given, output, stop.signal));
}

async function run(
  given: EvaluateArguments,
  output: ReportOptions,
  signal: AbortSignal,
): Promise<Evaluation> {
  const { data, pictures, questions, model, visionModel } = given;
  await requireReportFolder(given.report);
  const folder = model === undefined
    ? EMBEDDED_MODEL
    : await bring(model, placesFrom(), new Report(output), signal);
  const sees = pictures !== undefined || questions !== undefined;
  const speaks = data !== undefined || questions !== undefined;
  const choice = { model: folder, visionModel };
  const machine = await openMachine(
    await deviceFrom(),
    (line) => output.write(`${line}\n`),
  );
  await using _runtime = machine.runtime;
  return await evaluate(given, {
    machine: { ...machine, now: output.now },
    languageFolder: speaks ? folder : undefined,
    visionFolder: sees
      ? (await locateModel(choice, output, signal)).vision
      : undefined,
    output,
    signal,
  });
}

/** Checks that the report can be written, before the work is done. */
async function requireReportFolder(report: string | undefined): Promise<void> {
  if (report === undefined) return;
  const folder = dirname(report);
  const found = await Deno.stat(folder).catch(() => undefined);
  if (found?.isDirectory) return;
  throw new EvaluationError(
    `there is no folder ${folder} for --report: create it, or name another file`,
  );
}

/** Prints the results, and writes the report. */
async function show(
  given: EvaluateArguments,
  evaluation: Evaluation,
): Promise<void> {
  const { report, json, model, limit } = given;
  const settings = {
    model: model === undefined ? "emu3-mini" : withoutQuery(model),
    adapter: given.adapter ?? null,
    data: given.data ?? null,
    pictures: given.pictures ?? null,
    questions: given.questions ?? null,
    limit: Number.isFinite(limit) ? limit : null,
  };
  say(
    json
      ? JSON.stringify(evaluationJson(evaluation, settings), undefined, 2)
      : textTable(evaluationRows(evaluation)),
  );
  if (report !== undefined) {
    const title = `Evaluation of ${settings.model}`;
    const html = evaluationPage(title, evaluation, settings);
    const write = () => Deno.writeTextFile(report, html);
    await onDisk(report, write, "set --report to another file");
  }
}
