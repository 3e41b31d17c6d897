/**
 * The duration of a step, as a moving average.
 *
 * @module
 */

import { MovingAverage } from "../async/moving_average.ts";

/** Share of the average that stays with each step. */
const MEMORY = 0.95;

/** Seconds of a step before anything is measured. */
const INITIAL_SECONDS = 0.1;

/** Averages durations of steps. */
export class StepTime {
  readonly #average = new MovingAverage(MEMORY);

  /** Average seconds of the steps so far; a guess before the first. */
  get secondsPerStep(): number {
    return this.#average.mean ?? INITIAL_SECONDS;
  }

  /** Records the duration of a step. */
  note(seconds: number): void {
    this.#average.add(seconds);
  }
}
