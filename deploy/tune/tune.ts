/**
 * The tuning of a checkpoint on a prepared set, with all its files.
 *
 * ```text
 * set, checkpoint ─▶ plan ─▶ steps ─▶ adapter or checkpoint
 *                              └▶ metrics, checkpoints, samples, report
 * ```
 *
 * @module
 */

import type { Template } from "../../models/config/generation_config.ts";
import { encodePng } from "../../lib/image/encode_png.ts";
import {
  type LanguageCheckpoint,
  openLanguageCheckpoint,
  type VisionCheckpoint,
} from "../../lib/loading/checkpoint.ts";
import { openTextSide, type TextSide } from "../../lib/loading/text_files.ts";
import type { Runtime } from "../../lib/runtime/runtime.ts";
import { DataOrder } from "../../lib/tuning/data_order.ts";
import { Optimizer } from "../../lib/tuning/optimizer.ts";
import type { PreparedSet } from "../../lib/tuning/records.ts";
import { tuningSequence } from "../../lib/tuning/sequence.ts";
import type { TuningSettings } from "../../lib/tuning/settings.ts";
import { train, type TuningStep } from "../../lib/tuning/trainer.ts";
import { TuningModel } from "../../lib/tuning/tuning_model.ts";
import { writeAdapter } from "./adapter_files.ts";
import type { TuneArguments } from "./arguments.ts";
import { completeSettings } from "./complete_settings.ts";
import { Metrics, metricsLine } from "./metrics.ts";
import { fittingPlan } from "./fitting_plan.ts";
import { ProgressLine } from "./progress_line.ts";
import { reportHtml, type SampleSheet } from "./report.ts";
import { RunFolder } from "./run_folder.ts";
import { writeBytes, writeText } from "./safetensors_writer.ts";
import {
  contactSheet,
  openSampleVision,
  sampleBytes,
  samplePictures,
} from "./sample_pictures.ts";
import { adapterValues, startAt } from "./start_adapter.ts";
import { writeFullyTuned } from "./tuned_checkpoint.ts";

/** The surroundings of a run. */
export interface TuneSurroundings {
  /** Runtime that computes. */
  readonly runtime: Runtime;
  /** Bytes of memory that the run may take. */
  readonly availableBytes: number;
  /** Folder of the checkpoint. */
  readonly modelFolder: string;
  /** Folder of the vision tokenizer of samples; undefined to find it. */
  readonly visionFolder?: string | undefined;
  /** Set to train on. */
  readonly set: PreparedSet;
  /** True if progress is shown as a bar. */
  readonly terminal: boolean;
  /** Writes progress. */
  readonly write: (text: string) => void;
  /** Clock, in milliseconds. */
  readonly now: () => number;
  /** Signal that ends the run after its step, with a checkpoint. */
  readonly stop: AbortSignal;
}

/** Columns of a sheet of samples. */
const COLUMNS = 4;

/**
 * Tunes to the last step; returns false if it was stopped before.
 *
 * @throws {TuningError} If the data, the memory or the folder do not allow it.
 * @throws {DiskError} If the disk refuses.
 */
export async function tune(
  given: TuneArguments & { readonly out: string },
  around: TuneSurroundings,
): Promise<boolean> {
  const base = await openLanguageCheckpoint(around.modelFolder);
  const settings = completeSettings(given, around.set, base);
  const { method } = settings;
  const vision = given.samples.length === 0
    ? undefined
    : await openSampleVision(base, around.visionFolder);
  const samples = vision === undefined
    ? 0
    : sampleBytes({ base, vision, method }, around.runtime);
  const planned = { ...settings, parallel: given.parallel };
  const plan = fittingPlan(base, planned, given.replay !== undefined, {
    ...around,
    availableBytes: around.availableBytes - samples,
  });
  const { adapter } = given;
  const start = adapter === undefined || method.kind !== "lora"
    ? undefined
    : await adapterValues(adapter, base.config, method);
  // Settings are stored once the run can begin, so that a refused one leaves
  // the folder to the next.
  const folder = await RunFolder.open(given.out, {
    model: given.model ?? base.name,
    replay: given.replay,
    records: around.set.length,
    adapter,
    // Gradients are added in another order, so that it decides the bits.
    parallel: plan.parallel === 1 ? undefined : plan.parallel,
    ...settings,
  });
  await using opened = new AsyncDisposableStack();
  const side = opened.use(new DisposableStack());
  const writer = await openTextSide(base);
  side.use(writer.text);
  const model = opened.use(
    await TuningModel.open(around.runtime, base, {
      ...plan,
      method,
      seed: settings.seed,
      maxTokens: settings.maxTokens,
    }),
  );
  if (start !== undefined) await startAt(start, model.parameters);
  const run = new TuneRun(given, settings, around, {
    base,
    folder,
    model,
    vision,
    writer,
    template: given.template ?? base.generation.template,
  });
  return await run.run();
}

/** The opened parts of a run. */
interface TuneParts {
  readonly base: LanguageCheckpoint;
  readonly folder: RunFolder;
  readonly model: TuningModel;
  readonly vision: VisionCheckpoint | undefined;
  readonly writer: TextSide;
  readonly template: Template;
}

/** Runs the steps of a run, and writes its files. */
class TuneRun {
  readonly #given: TuneArguments & { readonly out: string };
  readonly #settings: TuningSettings;
  readonly #around: TuneSurroundings;
  readonly #parts: TuneParts;
  #sheets: readonly SampleSheet[] = [];

  constructor(
    given: TuneArguments & { readonly out: string },
    settings: TuningSettings,
    around: TuneSurroundings,
    parts: TuneParts,
  ) {
    this.#given = given;
    this.#settings = settings;
    this.#around = around;
    this.#parts = parts;
  }

  async run(): Promise<boolean> {
    const { runtime, set, terminal, write } = this.#around;
    const { folder, model } = this.#parts;
    const settings = this.#settings;
    const order = new DataOrder({ ...settings, records: set.length });
    const steps = settings.steps ??
      Math.ceil(order.stepsPerEpoch * settings.epochs);
    const progress = new ProgressLine({ terminal, steps, write });
    const start = await folder.resume(
      model.parameters,
      (line) => progress.say("notice", line),
    );
    if (start > 0) progress.say("resumed", `Going on after step ${start}`);
    const metrics = await Metrics.open(folder.path("metrics.jsonl"), start);
    await this.#readSheets();
    await using optimizer = await Optimizer.open(
      runtime,
      model.parameters,
      settings,
    );
    if (start === 0) await this.#sample(0, progress);
    const trained = train({
      model,
      optimizer,
      order,
      sequence: (index, withoutText) => this.#sequence(index, withoutText),
      schedule: { ...settings, steps },
      start,
      evaluateEvery: settings.heldOut > 0 ? this.#given.evaluateEvery : 0,
    }, new AbortController().signal);
    const last = await this.#follow(trained, { steps, metrics, progress });
    if ((last ?? start) < steps) {
      progress.say("stopped", `Stopped after step ${last} of ${steps}`);
      return false;
    }
    await this.#writeResult();
    await this.#writeReport(metrics);
    progress.say("tuned", `${this.#given.out} is tuned, ${steps} steps`);
    return true;
  }

  /**
   * Writes what follows from each step; returns the number of the last one,
   * undefined if there was none.
   */
  async #follow(
    trained: AsyncIterable<TuningStep>,
    { steps, metrics, progress }: {
      readonly steps: number;
      readonly metrics: Metrics;
      readonly progress: ProgressLine;
    },
  ): Promise<number | undefined> {
    const { now, stop } = this.#around;
    const { sampleEvery, saveEvery, keep } = this.#given;
    const { folder, model } = this.#parts;
    let before = now();
    let last: number | undefined;
    for await (const finished of trained) {
      const { step } = finished;
      last = step;
      const line = metricsLine(finished, (now() - before) / 1000);
      await metrics.add(line);
      progress.show(line);
      const samples = step === steps || step % sampleEvery === 0;
      if (samples && !stop.aborted) await this.#sample(step, progress);
      if (step === steps || step % saveEvery === 0 || stop.aborted) {
        await folder.save(step, model.parameters, keep);
        // An adapter can be served while it is tuned.
        if (this.#settings.method.kind === "lora") await this.#writeResult();
        await this.#writeReport(metrics);
      }
      if (stop.aborted) break;
      before = now();
    }
    return last;
  }

  async #sequence(index: number, withoutText: boolean) {
    const { writer, template } = this.#parts;
    const record = await this.#around.set.read(index);
    return await tuningSequence(writer, record, {
      template,
      maxTokens: this.#settings.maxTokens,
      withoutText,
    });
  }

  async #sample(step: number, progress: ProgressLine): Promise<void> {
    const { samples } = this.#given;
    const { base, folder, model, vision } = this.#parts;
    if (vision === undefined) return;
    progress.say("sampling", `Drawing ${samples.length} samples`);
    const pictures = await samplePictures(this.#around.runtime, samples, {
      base,
      vision,
      parameters: model.parameters,
      method: this.#settings.method,
      seed: this.#settings.seed,
      scratch: folder.path(".sampling"),
    }, new AbortController().signal);
    const png = encodePng(contactSheet(pictures, COLUMNS), {});
    const name = `step-${String(step).padStart(6, "0")}.png`;
    await writeBytes(folder.path("samples", name), png);
    this.#addSheet({ step, png });
  }

  /** Adds a sheet, in place of an earlier one of its step. */
  #addSheet(sheet: SampleSheet): void {
    const { step } = sheet;
    const others = this.#sheets.filter((other) => other.step !== step);
    this.#sheets = [...others, sheet].sort((a, b) => a.step - b.step);
  }

  /** Reads the sheets of the steps before an interruption. */
  async #readSheets(): Promise<void> {
    const { folder } = this.#parts;
    for (const name of await folder.names("samples")) {
      const step = /^step-(\d+)\.png$/.exec(name)?.[1];
      if (step === undefined) continue;
      const png = await Deno.readFile(folder.path("samples", name));
      this.#addSheet({ step: Number(step), png });
    }
  }

  async #writeResult(): Promise<void> {
    const { base, model } = this.#parts;
    const { out } = this.#given;
    const { method } = this.#settings;
    if (method.kind === "lora") {
      const name = this.#given.model ?? base.name;
      await writeAdapter(out, model.parameters, method, name);
      return;
    }
    await writeFullyTuned(base, out, model.parameters);
  }

  async #writeReport(metrics: Metrics): Promise<void> {
    const html = reportHtml({
      title: this.#given.out,
      settings: {
        model: this.#given.model ?? this.#parts.base.name,
        ...this.#settings,
      },
      lines: metrics.lines,
      prompts: this.#given.samples,
      sheets: this.#sheets,
    });
    await writeText(this.#parts.folder.path("report.html"), html);
  }
}
