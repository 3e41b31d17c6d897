/**
 * The pace of previews: they use a bounded share of the time, for any speed of
 * decoding, and have a minimum interval, so that they do not delay a
 * generation.
 *
 * @module
 */

/** The pause after a preview, as a multiple of the time that it took. */
const PAUSE = 9;

/** The minimum pause after a preview, in milliseconds. */
const MIN_PAUSE_MS = 200;

/** A pacer that decides when the next preview is due. */
export class PreviewRate {
  readonly #now: () => number;
  #notBefore = -Infinity;

  /**
   * Creates a pacer whose first preview is due at once.
   *
   * @param now Clock in milliseconds.
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
