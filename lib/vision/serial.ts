/**
 * One after the other.
 *
 * @module
 */

/** Runs tasks in the order in which they are handed in, one at a time. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** What `task` gives, once those before it are done. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // The next one starts however this one ends.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
