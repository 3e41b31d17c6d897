/**
 * The observable store of a value.
 *
 * @module
 */

// @ts-check

/**
 * A value and its listeners.
 *
 * @template T
 */
export class Store {
  /** @type {T} */
  #value;
  /** @type {Set<(value: T) => void>} */
  #listeners = new Set();

  /** @param {T} value Initial value. */
  constructor(value) {
    this.#value = value;
  }

  /** Current value. */
  get value() {
    return this.#value;
  }

  /** @param {T} value Next value, passed to all listeners at once. */
  set(value) {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /**
   * Calls `listener` with the value now, and after each change.
   *
   * @param {(value: T) => void} listener
   * @returns {() => void} Removes the listener.
   */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.#value);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves to the first value, from now on, that fits.
   *
   * @param {(value: T) => boolean} fits
   * @param {AbortSignal} [signal] Ends the wait.
   * @returns {Promise<T>}
   */
  when(fits, signal) {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#listeners.delete(look);
        reject(signal?.reason);
      };
      /** @param {T} value */
      const look = (value) => {
        if (!fits(value)) return;
        this.#listeners.delete(look);
        signal?.removeEventListener("abort", abort);
        resolve(value);
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      this.#listeners.add(look);
      look(this.#value);
    });
  }
}
