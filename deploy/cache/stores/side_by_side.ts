/**
 * Several things at once, of which one failure is enough.
 *
 * @module
 */

import type { LimitFunction } from "p-limit";

/**
 * What `work` makes of each item, in their order. The first failure aborts the
 * others, and is thrown once they have ended.
 */
export async function sideBySide<T, Made>(
  items: readonly T[],
  limit: LimitFunction,
  work: (item: T, signal: AbortSignal) => Promise<Made>,
  signal: AbortSignal,
): Promise<Made[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const outcomes = await Promise.allSettled(
    items.map((item) =>
      limit(async () => {
        either.throwIfAborted();
        try {
          return await work(item, either);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      })
    ),
  );
  either.throwIfAborted();
  return outcomes.flatMap((outcome) =>
    outcome.status === "fulfilled" ? [outcome.value] : []
  );
}
