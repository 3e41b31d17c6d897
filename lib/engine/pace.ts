/**
 * The duration of a step, as a moving average.
 *
 * ```text
 * sum ← m · sum + (1 − m) · seconds     sum / weight: what is not measured yet
 * weight ← m · weight + (1 − m)         has no part in the average
 * ```
 *
 * @module
 */

/** Share of the average that stays with each step. */
const MEMORY = 0.95;

/** Seconds of a step before anything is measured. */
const GUESS_SECONDS = 0.1;

/** Averages durations with exponential decay. */
export class Pace {
  #sum = 0;
  #weight = 0;

  /** Average seconds of the steps so far; a guess before the first. */
  get secondsPerStep(): number {
    return this.#weight === 0 ? GUESS_SECONDS : this.#sum / this.#weight;
  }

  /** Records the duration of a step. */
  note(seconds: number): void {
    this.#sum = MEMORY * this.#sum + (1 - MEMORY) * seconds;
    this.#weight = MEMORY * this.#weight + (1 - MEMORY);
  }
}
