/**
 * The evaluation of a model: each requested measure, one after the other.
 *
 * ```text
 * prepared set ─▶ language model ─▶ loss
 * pictures     ─▶ vision tokenizer ⇄ ─▶ PSNR, SSIM
 * questions    ─▶ vision tokenizer ─▶ language model ─▶ exact match
 * ```
 *
 * @module
 */

import { readReason } from "../../lib/loading/read_reason.ts";
import { openPrepared } from "../prepare/open_prepared.ts";
import type { ReportOptions } from "../models/report.ts";
import { openSource } from "../prepare/readers/open_source.ts";
import type { AnsweredQuestion } from "./answers.ts";
import { answerRecords } from "./answers.ts";
import type { EvaluateArguments } from "./arguments.ts";
import {
  type EvaluatedLanguage,
  type EvaluatedVision,
  type EvaluationMachine,
  openEvaluatedLanguage,
  openEvaluatedVision,
  SLOTS,
} from "./evaluated_models.ts";
import { asEvaluation, EvaluationError } from "./evaluation_error.ts";
import { EvaluationProgress } from "./evaluation_progress.ts";
import { lossRecords, type RecordLoss } from "./loss.ts";
import {
  type MeasuredRecord,
  type MeasuredResults,
  measureRecords,
} from "./measured_records.ts";
import {
  type Reconstruction,
  reconstructionRecords,
} from "./reconstruction.ts";

/**
 * The results of an evaluation; undefined for measures that were not requested.
 */
export interface Evaluation {
  /** Losses of the prepared set. */
  readonly loss: MeasuredResults<RecordLoss> | undefined;
  /** Reconstructions of the pictures. */
  readonly reconstruction: MeasuredResults<Reconstruction> | undefined;
  /** Answers to the questions. */
  readonly answers: MeasuredResults<AnsweredQuestion> | undefined;
}

/** The surroundings of an evaluation. */
export interface EvaluationSurroundings {
  /** The machine. */
  readonly machine: EvaluationMachine;
  /** Folder of the language model; undefined if none is needed. */
  readonly languageFolder: string | undefined;
  /** Folder of the vision tokenizer; undefined if none is needed. */
  readonly visionFolder: string | undefined;
  /** Output of progress. */
  readonly output: ReportOptions;
  /** Signal that ends the evaluation. */
  readonly signal: AbortSignal;
}

/** Maximum pictures in the report. */
const SHOWN_PICTURES = 4;

/**
 * Evaluates a model.
 *
 * @throws {EvaluationError} If an input cannot be opened, or no record of one
 * can be measured.
 * @throws {PreparedSetError} If the prepared set cannot be opened.
 * @throws {CheckpointError} If a model or the adapter cannot be opened.
 */
export async function evaluate(
  given: EvaluateArguments,
  around: EvaluationSurroundings,
): Promise<Evaluation> {
  const { machine, languageFolder, visionFolder } = around;
  await using opened = new AsyncDisposableStack();
  // Inputs are opened first, to report their faults before weights are loaded.
  const set = given.data === undefined
    ? undefined
    : opened.use(await openPrepared(given.data));
  const { pictures } = given;
  const source = pictures === undefined
    ? undefined
    : await asEvaluation(() => openSource(pictures, undefined, {}));
  await requireFile(given.questions);
  const language = languageFolder === undefined ? undefined : opened.use(
    await openEvaluatedLanguage(languageFolder, given.adapter, machine),
  );
  const vision = visionFolder === undefined
    ? undefined
    : opened.use(await openEvaluatedVision(visionFolder, machine));
  const walk = new Walk(given, around);
  return {
    loss: set && await walk.measure(
      "loss",
      set.length,
      lossRecords(set, language!.model, asked(given, language!)),
    ),
    reconstruction: source && await walk.measure(
      "reconstruction",
      undefined,
      reconstructionRecords(source, vision!, SHOWN_PICTURES),
    ),
    answers: given.questions === undefined ? undefined : await walk.measure(
      "answers",
      undefined,
      questions(given, language!, vision!),
    ),
  };
}

function asked(given: EvaluateArguments, language: EvaluatedLanguage) {
  const { model, adapter } = language;
  const template = given.template ?? model.generation.template;
  return { adapter, template, answerTokens: given.answerTokens };
}

function questions(
  given: EvaluateArguments,
  language: EvaluatedLanguage,
  vision: EvaluatedVision,
): AsyncGenerator<MeasuredRecord<AnsweredQuestion>> {
  const options = asked(given, language);
  return answerRecords(given.questions!, language.model, vision, options);
}

/** Measures inputs one after the other. */
class Walk {
  readonly #limit: number;
  readonly #around: EvaluationSurroundings;

  constructor(
    { limit }: EvaluateArguments,
    around: EvaluationSurroundings,
  ) {
    this.#limit = limit;
    this.#around = around;
  }

  async measure<T>(
    name: string,
    count: number | undefined,
    records: AsyncIterable<MeasuredRecord<T>>,
  ): Promise<MeasuredResults<T>> {
    const { output, signal } = this.#around;
    const limit = this.#limit;
    const total = count && Math.min(count, limit);
    const progress = new EvaluationProgress(name, total, output);
    try {
      const results = await asEvaluation(() =>
        measureRecords(records, {
          ahead: SLOTS,
          limit,
          onRecord: (unusable) => progress.count(unusable),
          signal,
        })
      );
      requireMeasured(name, results);
      return results;
    } finally {
      progress.clear();
    }
  }
}

function requireMeasured(
  name: string,
  { measured, unusable }: MeasuredResults<unknown>,
): void {
  if (measured.length > 0) return;
  const [first] = unusable;
  throw new EvaluationError(
    first === undefined
      ? `the input of ${name} has no records: name another`
      : `no record for ${name} can be used, of ${unusable.length}; the first, ${first.record}: ${first.reason}`,
  );
}

async function requireFile(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const found = await Deno.stat(path).catch((cause) => {
    const reason = cause instanceof Deno.errors.NotFound
      ? `there is no ${path}; name a file of questions`
      : `${path} cannot be read: ${readReason(cause)}`;
    throw new EvaluationError(reason, { cause });
  });
  if (found.isFile) return;
  throw new EvaluationError(
    `${path} is no file: name JSON lines of {"image", "question", "answer"}`,
  );
}
