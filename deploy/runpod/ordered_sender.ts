/**
 * The ordered sender: sends items one after the other while more are added.
 *
 * ```text
 * push ─▶ waiting ─▶ one in flight
 *            └ the last waiting item may absorb the next one
 * ```
 *
 * @module
 */

/** Options of an ordered sender. */
export interface OrderedSenderOptions<T> {
  /** Sends an item; the next one waits for it. */
  readonly send: (item: T) => Promise<void>;
  /**
   * Merges two adjacent items; undefined for those that are sent separately.
   */
  readonly merge: (first: T, second: T) => T | undefined;
  /** Called with errors of sending; later items are still sent. */
  readonly onFailure: (error: unknown) => void;
}

/** A queue of items to send. */
export class OrderedSender<T> {
  readonly #options: OrderedSenderOptions<T>;
  readonly #waiting: T[] = [];
  #sending: Promise<void> | undefined;

  /** Creates an empty queue. */
  constructor(options: OrderedSenderOptions<T>) {
    this.#options = options;
  }

  /** Adds an item to those that wait. */
  push(item: T): void {
    const last = this.#waiting.at(-1);
    const merged = last === undefined
      ? undefined
      : this.#options.merge(last, item);
    if (merged === undefined) this.#waiting.push(item);
    else this.#waiting[this.#waiting.length - 1] = merged;
    this.#sending ??= this.#send();
  }

  /** Resolves when all items are sent. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  /** Drops the items that wait; resolves when the current one is sent. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    await this.#sending;
  }

  async #send(): Promise<void> {
    // Items added in the same turn of the event loop are merged.
    await Promise.resolve();
    for (;;) {
      const item = this.#waiting.shift();
      if (item === undefined) break;
      await this.#options.send(item).catch(this.#options.onFailure);
    }
    this.#sending = undefined;
  }
}
