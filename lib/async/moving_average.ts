/**
 * The moving average, with exponential decay.
 *
 * ```text
 * sum    ← m · sum + value          mean = sum / weight, without a bias
 * weight ← m · weight + amount      toward the initial value
 * ```
 *
 * @module
 */

/** Averages values; the latest has the greatest weight. */
export class MovingAverage {
  readonly #memory: number;
  #sum = 0;
  #weight = 0;
  #count = 0;

  /**
   * Creates an average without values.
   *
   * @param memory Decay factor per value, below 1.
   */
  constructor(memory: number) {
    this.#memory = memory;
  }

  /** Number of values so far. */
  get count(): number {
    return this.#count;
  }

  /** The average per amount; undefined before the first value. */
  get mean(): number | undefined {
    return this.#weight > 0 ? this.#sum / this.#weight : undefined;
  }

  /**
   * Adds a value.
   *
   * @param amount Amount that `value` is the total of, above 0: its weight in
   * the mean.
   */
  add(value: number, amount = 1): void {
    this.#sum = this.#memory * this.#sum + value;
    this.#weight = this.#memory * this.#weight + amount;
    this.#count++;
  }
}
