/**
 * A serial queue: tasks run one after the other.
 *
 * @module
 */

/** Runs tasks in the order in which they are handed in, one at a time. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `task` once those before it are done.
   *
   * @param signal Removes the task from the queue; a task that runs already has
   * to listen to it itself.
   * @throws The signal's reason when it aborts before the task starts.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    const result = this.#last.then(() => {
      signal?.removeEventListener("abort", leave);
      signal?.throwIfAborted();
      return task();
    });
    // The next one starts however this one ends.
    this.#last = result.catch(() => undefined);
    return await Promise.race([result, left]);
  }
}
