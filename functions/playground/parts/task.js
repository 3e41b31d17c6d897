/**
 * The task runner: one cancelable task at a time.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/** A runner that cancels its task when the next one starts. */
export class TaskRunner {
  /** @type {AbortController | undefined} */
  #running;
  /** @type {Promise<void>} */
  #ended = Promise.resolve();
  /** @type {(running: boolean) => void} */
  #onChange;

  /** @param {(running: boolean) => void} onChange Called at begin and end. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** True if a task is running. */
  get running() {
    return this.#running !== undefined;
  }

  /** Cancels the running task. */
  stop() {
    this.#running?.abort();
  }

  /**
   * @param {(signal: AbortSignal) => Promise<void>} task
   * @param {(error: unknown) => void} onError Called unless it was canceled.
   */
  async run(task, onError) {
    this.stop();
    const controller = new AbortController();
    this.#running = controller;
    const before = this.#ended;
    this.#ended = (async () => {
      await before;
      const { signal } = controller;
      if (signal.aborted) return;
      this.#onChange(true);
      try {
        await task(signal);
      } catch (error) {
        if (!signal.aborted) onError(error);
      } finally {
        if (this.#running === controller) this.#running = undefined;
        this.#onChange(this.#running !== undefined);
      }
    })();
    await this.#ended;
  }
}
