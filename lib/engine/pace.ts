/**
 * How long a step takes, as a moving average.
 *
 * ```text
 * sum ← m · sum + (1 − m) · seconds     sum / weight: what is not measured yet
 * weight ← m · weight + (1 − m)         has no part in the average
 * ```
 *
 * @module
 */

/** How much of the average stays with each step. */
const MEMORY = 0.95;

/** Before anything is measured. */
const GUESS_SECONDS = 0.1;

/** An average of durations that forgets. */
export class Pace {
  #sum = 0;
  #weight = 0;

  /** Of steps so far; a guess before the first. */
  get secondsPerStep(): number {
    return this.#weight === 0 ? GUESS_SECONDS : this.#sum / this.#weight;
  }

  /** Notes how long a step took. */
  note(seconds: number): void {
    this.#sum = MEMORY * this.#sum + (1 - MEMORY) * seconds;
    this.#weight = MEMORY * this.#weight + (1 - MEMORY);
  }
}
