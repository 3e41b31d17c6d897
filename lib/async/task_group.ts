/**
 * The runner of concurrent tasks that are aborted when one fails.
 *
 * @module
 */

/**
 * Runs `count` tasks concurrently; if one fails, aborts the rest and throws the
 * error of the first failure.
 */
export async function runTaskGroup(
  count: number,
  task: (index: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const others = new AbortController();
  const guarded = AbortSignal.any([signal, others.signal]);
  const tasks = Array.from({ length: count }, async (_, index) => {
    try {
      await task(index, guarded);
    } catch (error) {
      others.abort(error);
      throw error;
    }
  });
  // The first task to fail has aborted the rest with its own reason.
  const results = await Promise.allSettled(tasks);
  const failed = results.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
