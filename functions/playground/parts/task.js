/**
 * One thing at a time, that can be stopped.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

/** Runs a task; the next one stops it first. */
export class TaskRunner {
  /** @type {AbortController | undefined} */
  #running;
  /** @type {Promise<void>} */
  #ended = Promise.resolve();
  /** @type {(running: boolean) => void} */
  #onChange;

  /** @param {(running: boolean) => void} onChange Told when one begins and ends. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Whether one runs. */
  get running() {
    return this.#running !== undefined;
  }

  /** Ends the one that runs. */
  stop() {
    this.#running?.abort();
  }

  /**
   * @param {(signal: AbortSignal) => Promise<void>} task
   * @param {(error: unknown) => void} onError What it throws, unless it was stopped.
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
