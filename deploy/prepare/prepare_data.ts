/**
 * The pipeline of preparation: records of an input → records of a set.
 *
 * ```text
 * source ─▶ key ─ of this part, not done ─▶ picture ─▶ caption ─▶ codes ─▶ output
 *                                           └── several at once ──┘    in order
 * ```
 *
 * An unusable record is recorded and skipped. Memory is bounded by the pictures
 * in progress, for an input of any length.
 *
 * @module
 */

import { Emu3Error } from "../../lib/errors.ts";
import type { Captioner } from "./encoding/captioner.ts";
import type { PictureEncoder } from "./encoding/picture_encoder.ts";
import { hashOf } from "./hash_table.ts";
import type { PreparedOutput } from "./output/prepared_output.ts";
import type { NewRecord } from "./output/record_store.ts";
import { PreparationError } from "./preparation_error.ts";
import {
  RecordError,
  type RecordSource,
  type SourceRecord,
} from "./readers/source.ts";
import { isOfPart, SafeKeys } from "./safe_keys.ts";

/** A part of an input: the records whose keys hash to it. */
export interface InputPart {
  /** Index of the part, from 0. */
  readonly index: number;
  /** Number of parts. */
  readonly count: number;
}

/** Parts and limits of a preparation. */
export interface PreparationOptions {
  /** Input. */
  readonly source: RecordSource;
  /** Encoder of pictures. */
  readonly encoder: PictureEncoder;
  /** Captioner of pictures without a text; undefined for none. */
  readonly captioner: Captioner | undefined;
  /** Set that is written. */
  readonly output: PreparedOutput;
  /** Part of the input; undefined for all. */
  readonly part: InputPart | undefined;
  /** The most records that may be unusable. */
  readonly maxErrors: number;
  /** Called after each record that is done. */
  readonly onProgress: (progress: PreparationProgress) => void;
  /** Aborts the run; stored records stay. */
  readonly signal: AbortSignal;
}

/** Progress of a run. */
export interface PreparationProgress {
  /** Records that this run did. */
  readonly done: number;
  /** Remaining records, estimated from the input read so far. */
  readonly left: number;
  /** Records of this run without any text. */
  readonly untitled: number;
}

/** Outcome of a record: codes, or the reason for none. */
type Outcome =
  & { readonly key: string; readonly place: string }
  & (
    | { readonly record: NewRecord; readonly picture: string }
    | { readonly error: string }
  );

/**
 * Prepares all records of the input that are not done yet.
 *
 * @throws {PreparationError} If more records are unusable than are allowed, or
 * all of them are.
 */
export async function prepareData(
  options: PreparationOptions,
): Promise<PreparationProgress> {
  const { encoder, onProgress, output, signal } = options;
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue: Promise<Outcome>[] = [];
  const progress = { done: 0, left: 0, untitled: 0 };
  const commit = async () => {
    const outcome = await queue.shift()!;
    await store(outcome, options);
    progress.done++;
    if ("record" in outcome && isUntitled(outcome.record)) progress.untitled++;
  };
  let seen = 0;
  try {
    for await (const turn of turns(options)) {
      either.throwIfAborted();
      seen = turn.seen;
      if (turn.key === undefined) continue;
      const work = outcomeOf(turn.record, turn.key, options, either);
      // The commit gets the error, in the order of the input.
      work.catch(() => {});
      queue.push(work);
      if (queue.length < encoder.capacity) continue;
      await commit();
      progress.left = queue.length + unseen(seen, options);
      onProgress({ ...progress });
    }
    while (queue.length > 0) {
      await commit();
      progress.left = queue.length;
      onProgress({ ...progress });
    }
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(queue);
    throw error;
  }
  await output.finish();
  refuseNothing(output);
  return progress;
}

/** A record of the input, with its key if there is work to do. */
interface Turn {
  readonly seen: number;
  readonly record: SourceRecord;
  readonly key: string | undefined;
}

async function* turns(
  { source, part, output }: PreparationOptions,
): AsyncGenerator<Turn> {
  const keys = new SafeKeys();
  let seen = 0;
  for await (const record of source.records()) {
    seen++;
    const { key, hash } = keys.next(record.name);
    const wanted = (part === undefined ||
      isOfPart(hash, part.index, part.count)) && !output.isDone(key);
    yield { seen, record, key: wanted ? key : undefined };
  }
}

/** Returns the number of unread records of this part. */
function unseen(seen: number, { source, part }: PreparationOptions): number {
  const share = source.share();
  if (share === 0) return 0;
  return Math.round(seen * (1 / share - 1) / (part?.count ?? 1));
}

async function outcomeOf(
  source: SourceRecord,
  key: string,
  { encoder, captioner }: PreparationOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const { name, place, question, answer } = source;
  try {
    if ((question === undefined) !== (answer === undefined)) {
      const lacking = answer === undefined ? "answer" : "question";
      throw new RecordError(`it has no ${lacking}`);
    }
    const bytes = await source.picture();
    const grid = await encoder.encode(bytes, signal);
    const hasQuestion = question !== undefined && answer !== undefined;
    const text = source.text ||
      (hasQuestion ? "" : await captioner?.(bytes, signal) ?? "");
    const record = {
      ...{ key, name, text, ...grid },
      ...(hasQuestion && { question, answer }),
    };
    return { key, place, record, picture: hashOf(bytes) };
  } catch (error) {
    if (!isOfRecord(error)) throw error;
    return { key, place, error: error.message };
  }
}

async function store(
  outcome: Outcome,
  { output, maxErrors }: PreparationOptions,
): Promise<void> {
  if ("record" in outcome) {
    return await output.add(outcome.record, outcome.picture);
  }
  const { key, place, error } = outcome;
  await output.fail(key, place, error);
  const { failed } = output.counts;
  if (failed <= maxErrors) return;
  throw new PreparationError(
    `${failed} records cannot be used, over --max-errors ${maxErrors}; the last is ${place}: ${error}`,
  );
}

/** Codes of errors that concern a single picture. */
const PICTURE_ERRORS = ["unreadable-image", "image-too-large", "image-size"];

function isOfRecord(error: unknown): error is Error {
  return error instanceof RecordError ||
    error instanceof Emu3Error && PICTURE_ERRORS.includes(error.code);
}

function isUntitled({ text, question }: NewRecord): boolean {
  return text === "" && question === undefined;
}

function refuseNothing({ counts, firstError }: PreparedOutput): void {
  if (counts.stored > 0 || counts.failed === 0) return;
  throw new PreparationError(
    `none of ${counts.failed} records can be used, see errors.jsonl; the first: ${firstError}`,
  );
}
