/**
 * The concurrent execution of several tasks, ended by the first failure.
 *
 * @module
 */

/** A limiter of concurrency: runs `work` once there is capacity. */
export type Limit = <Made>(work: () => Promise<Made>) => Promise<Made>;

/**
 * Returns the results of `works`, in their order. The first failure aborts the
 * others, and is thrown once they have ended.
 */
export async function runConcurrently<Made>(
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
