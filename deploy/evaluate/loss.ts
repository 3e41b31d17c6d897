/**
 * The loss per token of a prepared set: of the codes of pictures, and of the
 * tokens of answers.
 *
 * The model runs as a server runs it, over its cache and with its adapter; the
 * sequences and labels are those of tuning, so that the mean over records is
 * the loss that the tuner reports for held-out ones.
 *
 * @module
 */

import type { Template } from "../../models/config/generation_config.ts";
import type { LanguageModel } from "../../lib/language_model.ts";
import { scoreLabels } from "../../lib/scoring.ts";
import type { PreparedRecord, PreparedSet } from "../../lib/tuning/records.ts";
import {
  type TuningSequence,
  tuningSequence,
} from "../../lib/tuning/sequence.ts";
import { TuningError } from "../../lib/tuning/tuning_error.ts";
import { RecordError } from "../prepare/readers/source.ts";
import type { MeasuredRecord } from "./measured_records.ts";

/** The loss of a record. */
export interface RecordLoss {
  /** Key of the record. */
  readonly record: string;
  /** The labels that give the loss. */
  readonly kind: "picture" | "answer";
  /** Sum over its labels, in nats. */
  readonly sum: number;
  /** Number of its labels. */
  readonly tokens: number;
}

/** The mean loss of some records. */
export interface MeanLoss {
  /** Number of records. */
  readonly records: number;
  /** Number of labels. */
  readonly tokens: number;
  /** Mean over all labels, in nats. */
  readonly loss: number;
  /**
   * Mean over records of the mean over each one's labels, in nats: the tuner's
   * held-out loss, to which a short answer adds as much as a large picture.
   */
  readonly recordLoss: number;
}

/** Options of {@linkcode lossRecords}. */
export interface LossOptions {
  /** Name of the adapter in the model. */
  readonly adapter: string | undefined;
  /** Template of questions. */
  readonly template: Template;
}

/** Yields the records of a set. */
export async function* lossRecords(
  set: PreparedSet,
  model: LanguageModel,
  { adapter, template }: LossOptions,
): AsyncGenerator<MeasuredRecord<RecordLoss>> {
  for (let index = 0; index < set.length; index++) {
    yield {
      record: `record ${index + 1}`,
      measure: async (signal) => {
        const record = await set.read(index);
        const sequence = await sequenceOf(record, model, template);
        const turn = adapter === undefined ? {} : { adapter };
        const { logprobs } = await scoreLabels(model, sequence, signal, turn);
        return {
          record: record.key,
          kind: record.question === undefined ? "picture" : "answer",
          sum: -logprobs.reduce((sum, logprob) => sum + logprob, 0),
          tokens: logprobs.length,
        };
      },
    };
  }
}

/** Returns the sequence of a record; its faults are those of the record. */
async function sequenceOf(
  record: PreparedRecord,
  model: LanguageModel,
  template: Template,
): Promise<TuningSequence> {
  try {
    return await tuningSequence(model, record, {
      template,
      // The engine refuses sequences that are too long.
      maxTokens: Infinity,
      withoutText: false,
    });
  } catch (cause) {
    if (!(cause instanceof TuningError)) throw cause;
    throw new RecordError(cause.reason, { cause });
  }
}

/** Returns the mean of some losses; undefined if there is none. */
export function meanLoss(
  losses: readonly RecordLoss[],
): MeanLoss | undefined {
  if (losses.length === 0) return undefined;
  const total = (field: "sum" | "tokens") =>
    losses.reduce((sum, loss) => sum + loss[field], 0);
  const tokens = total("tokens");
  const records = losses.length;
  const means = losses.reduce((sum, one) => sum + one.sum / one.tokens, 0);
  return {
    ...{ records, tokens },
    loss: total("sum") / tokens,
    recordLoss: means / records,
  };
}
