/**
 * Things that are sent one after the other, in order, while more of them come.
 *
 * ```text
 * push ─▶ waiting ─▶ one under way
 *            └ the last of those that wait may take the next one in
 * ```
 *
 * @module
 */

/** How things are sent. */
export interface FeedOptions<T> {
  /** Sends one; the next waits for it. */
  readonly send: (item: T) => Promise<void>;
  /** Two that follow each other as one; undefined where they stay apart. */
  readonly merge: (first: T, second: T) => T | undefined;
  /** Told what could not be sent; the rest is sent all the same. */
  readonly onFailure: (error: unknown) => void;
}

/** Sends in order. */
export class Feed<T> {
  readonly #options: FeedOptions<T>;
  readonly #waiting: T[] = [];
  #sending: Promise<void> | undefined;

  /** Sends nothing yet. */
  constructor(options: FeedOptions<T>) {
    this.#options = options;
  }

  /** Adds one to those that wait. */
  push(item: T): void {
    const last = this.#waiting.at(-1);
    const merged = last === undefined
      ? undefined
      : this.#options.merge(last, item);
    if (merged === undefined) this.#waiting.push(item);
    else this.#waiting[this.#waiting.length - 1] = merged;
    this.#sending ??= this.#send();
  }

  /** Comes when all are sent. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  /** Forgets those that wait; comes when the one under way is sent. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    await this.#sending;
  }

  async #send(): Promise<void> {
    // What comes in the same breath goes along.
    await Promise.resolve();
    for (;;) {
      const item = this.#waiting.shift();
      if (item === undefined) break;
      await this.#options.send(item).catch(this.#options.onFailure);
    }
    this.#sending = undefined;
  }
}
