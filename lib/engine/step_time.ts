/**
 * The duration of a step, as a moving average.
 *
 * @module
 */

import { MovingAverage } from "../async/moving_average.ts";

/** The decay factor of the average per step. */
const MEMORY = 0.95;

/** The assumed duration of a step before the first measurement, in seconds. */
const INITIAL_SECONDS = 0.1;

/** Averages durations of steps. */
export class StepTime {
  readonly #average = new MovingAverage(MEMORY);

  /**
   * Average duration of the steps so far, in seconds; an estimate before the
   * first.
   */
  get secondsPerStep(): number {
    return this.#average.mean ?? INITIAL_SECONDS;
  }

  /** Records the duration of a step. */
  note(seconds: number): void {
    this.#average.add(seconds);
  }
}
