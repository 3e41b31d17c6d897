/**
 * The measurement of records: several at once, results in order, unusable ones
 * reported.
 *
 * @module
 */

import { CacheTooSmallError, Emu3Error } from "../../lib/errors.ts";
import { RecordError } from "../prepare/readers/source.ts";

/** A record to measure. */
export interface MeasuredRecord<T> {
  /** Key, or place in its file. */
  readonly record: string;
  /**
   * Measures it.
   *
   * @throws {RecordError | Emu3Error} If it is unusable, with the reason.
   */
  readonly measure: (signal: AbortSignal) => Promise<T>;
}

/** A record that could not be measured. */
export interface UnusableRecord {
  /** Key, or place in its file. */
  readonly record: string;
  /** The reason. */
  readonly reason: string;
}

/** The result of a walk. */
export interface MeasuredResults<T> {
  /** Measured records, in order. */
  readonly measured: readonly T[];
  /** Others, in order. */
  readonly unusable: readonly UnusableRecord[];
}

/** Options of {@linkcode measureRecords}. */
export interface MeasureOptions {
  /** Number of concurrent records. */
  readonly ahead: number;
  /** The most records. */
  readonly limit: number;
  /** Called after each record, with its fault if it has one. */
  readonly onRecord: (unusable: UnusableRecord | undefined) => void;
  /** Signal that ends the walk. */
  readonly signal: AbortSignal;
}

/** The outcome of a record. */
type Outcome<T> = { readonly value: T } | {
  readonly unusable: UnusableRecord;
};

/** Measures records. An error that is not a record's ends the walk. */
export async function measureRecords<T>(
  records: AsyncIterable<MeasuredRecord<T>>,
  { ahead, limit, onRecord, signal }: MeasureOptions,
): Promise<MeasuredResults<T>> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue: Promise<Outcome<T>>[] = [];
  const measured: T[] = [];
  const unusable: UnusableRecord[] = [];
  const take = async () => {
    const outcome = await queue.shift()!;
    if ("value" in outcome) measured.push(outcome.value);
    else unusable.push(outcome.unusable);
    onRecord("value" in outcome ? undefined : outcome.unusable);
  };
  let count = 0;
  try {
    for await (const record of records) {
      signal.throwIfAborted();
      const outcome = outcomeOf(record, either);
      // Awaited in its turn, when the error surfaces.
      outcome.catch(() => {});
      queue.push(outcome);
      if (queue.length >= ahead) await take();
      if (++count >= limit) break;
    }
    while (queue.length > 0) await take();
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(queue);
    throw error;
  }
  return { measured, unusable };
}

async function outcomeOf<T>(
  { record, measure }: MeasuredRecord<T>,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  try {
    return { value: await measure(signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CacheTooSmallError) {
      const { needed, available } = error;
      // The error's own remedy is a setting of the server.
      const reason =
        `it takes ${needed} tokens, and the available memory holds keys and values of ${available}; free some memory, or use a machine with more`;
      return { unusable: { record, reason } };
    }
    const ofRecord = error instanceof RecordError || error instanceof Emu3Error;
    if (!ofRecord) throw error;
    return { unusable: { record, reason: error.message } };
  }
}
