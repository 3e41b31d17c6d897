/**
 * The pace of previews: they take a share of the time and no more, however slow
 * decoding is, and come no faster than anybody looks, so that they never hold a
 * drawing up.
 *
 * @module
 */

/** Pause after a preview, as a multiple of the time that it took. */
const PAUSE = 9;

/** Pause after a preview at least, in milliseconds. */
const MIN_PAUSE_MS = 200;

/** Decides when the next preview is due. */
export class PreviewPace {
  readonly #now: () => number;
  #notBefore = -Infinity;

  /**
   * The first preview is due at once.
   *
   * @param now A clock, in milliseconds.
   */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** True once the pause after the last preview is over. */
  get due(): boolean {
    return this.#now() >= this.#notBefore;
  }

  /** Runs `make`, and begins a pause that fits its duration. */
  async run<T>(make: () => Promise<T>): Promise<T> {
    const begun = this.#now();
    try {
      return await make();
    } finally {
      const ended = this.#now();
      this.#notBefore = ended + Math.max(MIN_PAUSE_MS, PAUSE * (ended - begun));
    }
  }
}
