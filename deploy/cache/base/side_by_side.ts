/**
 * Several things at once, so many at a time, of which one failure is enough.
 *
 * @module
 */

/** Lets so much begin as it has room for. */
export type Limit = <Made>(work: () => Promise<Made>) => Promise<Made>;

/**
 * What each of `works` makes, in their order. The first failure aborts the
 * others, and is thrown once they have ended.
 */
export async function sideBySide<Made>(
  works: readonly ((signal: AbortSignal) => Promise<Made>)[],
  limit: Limit,
  signal: AbortSignal,
): Promise<Made[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const outcomes = await Promise.allSettled(
    works.map((work) =>
      limit(async () => {
        either.throwIfAborted();
        try {
          return await work(either);
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
