/**
 * A value that others are told of when it changes.
 *
 * @module
 */

// @ts-check

/**
 * A value, and who wants to know.
 *
 * @template T
 */
export class Store {
  /** @type {T} */
  #value;
  /** @type {Set<(value: T) => void>} */
  #listeners = new Set();

  /** @param {T} value The first one. */
  constructor(value) {
    this.#value = value;
  }

  /** As it stands. */
  get value() {
    return this.#value;
  }

  /** @param {T} value The next one, told to all at once. */
  set(value) {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /**
   * Tells `listener` the value now, and whenever it changes.
   *
   * @param {(value: T) => void} listener
   * @returns {() => void} Ends it.
   */
  watch(listener) {
    this.#listeners.add(listener);
    listener(this.#value);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * The first value, from now on, that fits.
   *
   * @param {(value: T) => boolean} fits
   * @param {AbortSignal} [signal] Ends waiting.
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
