/**
 * The fan-out of a chain: many calls or steps, a few of them at a time.
 *
 * Every end of one is awaited in a race of all that run, so that their order is
 * that of the journal, in every attempt.
 *
 * @module
 */

import {
  RestatePromise,
  type TerminalError,
} from "@restatedev/restate-sdk/fetch";

/** An end of one of many: its value, or its failure. */
export type End<T> =
  & { readonly index: number }
  & (
    | { readonly value: T; readonly failure?: undefined }
    | { readonly value?: undefined; readonly failure: TerminalError }
  );

/** The work to fan out. */
export interface FanOut<T> {
  /** Number of parts. */
  readonly count: number;
  /** The most parts that run at once. */
  readonly concurrency: number;
  /** Starts a part: a single call or step, which is not awaited. */
  readonly start: (index: number) => RestatePromise<T>;
  /** Called after the end of each part. */
  readonly ended: (end: End<T>) => void | Promise<void>;
}

/** Runs all parts, and calls `ended` for each in the order of their ends. */
export async function fanOut<T>(
  { count, concurrency, start, ended }: FanOut<T>,
): Promise<void> {
  const running = new Map<number, RestatePromise<End<T>>>();
  let next = 0;
  while (next < count || running.size > 0) {
    for (; next < count && running.size < concurrency; next++) {
      const index = next;
      running.set(
        index,
        start(index).map((value, failure) =>
          failure === undefined
            ? { index, value: value as T }
            : { index, failure }
        ),
      );
    }
    const end = await RestatePromise.race([...running.values()]);
    running.delete(end.index);
    await ended(end);
  }
}
