/**
 * The notifier: resolves the promises that wait for a name.
 *
 * @module
 */

/** Wakes waiters by name. */
export class Notifier {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Number of names with waiters. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next notification of `name`, or when the signal aborts. */
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

  /** Resolves the current waiters of `name`. */
  notify(name: string): void {
    for (const wake of [...this.#waiting.get(name) ?? []]) wake();
  }
}
