/**
 * Tasks side by side that succeed together or not at all.
 *
 * @module
 */

/**
 * Runs `count` tasks side by side; when one fails, none goes on. Throws what the
 * first to fail threw.
 */
export async function allOrNone(
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
  // The first to fail has aborted the rest with its own reason.
  const results = await Promise.allSettled(tasks);
  const failed = results.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
