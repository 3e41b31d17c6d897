/**
 * The notifier: wakes those that wait for a name.
 *
 * @module
 */

/** Wakes those who wait for something of a name. */
export class Notifier {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** How many names somebody waits for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Comes with the next ring of `name`, or when the signal aborts. */
  next(name: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting);
    const wake = () => {
      signal.removeEventListener("abort", wake);
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiting.delete(name);
      resolve();
    };
    waiting.add(wake);
    signal.addEventListener("abort", wake);
    if (signal.aborted) wake();
    return promise;
  }

  /** Wakes who waits now. */
  ring(name: string): void {
    for (const wake of [...this.#waiting.get(name) ?? []]) wake();
  }
}
