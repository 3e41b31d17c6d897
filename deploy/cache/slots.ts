/**
 * So many at once, first come first served.
 *
 * @module
 */

/** Places for work. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** With `count` places, all free. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Does `work` when a place is free. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/**
 * Does all of `works`; when one fails, tells the others, waits for them, and
 * throws what failed first.
 */
export async function allOrNone(
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  await Promise.all(works.map(async (work) => {
    if (both.aborted) return;
    try {
      await work(both);
    } catch (error) {
      failure.abort(error);
    }
  }));
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}
