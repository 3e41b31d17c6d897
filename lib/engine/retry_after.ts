/**
 * The forecast of a full queue: the time until a waiting request starts.
 *
 * It simulates admission: running requests end one by one, until a waiting
 * request can start.
 *
 * @module
 */

import {
  type Fairness,
  type Load,
  nextStart,
  type Reservation,
} from "./admission.ts";

/** A request that runs. */
export interface Running extends Reservation {
  /** Slots that it holds. */
  readonly slots: readonly number[];
  /** Number of steps until it is done, chunks of its prompts included. */
  readonly steps: number;
}

/** The waiting requests, and the running ones with their remaining steps. */
export interface Forecast extends Load {
  /** Running requests, in any order. */
  readonly running: readonly Running[];
}

/**
 * Returns the seconds until one of the waiting requests starts; at least 1.
 *
 * @param secondsPerStep Measured duration of a step.
 */
export function retryAfterSeconds(
  load: Forecast,
  fairness: Fairness,
  secondsPerStep: number,
): number {
  const seconds = stepsUntilStart(load, fairness) * secondsPerStep;
  return Math.max(1, Math.ceil(seconds));
}

/**
 * Returns the number of steps until a waiting request can start; 0 if one can
 * start now.
 */
function stepsUntilStart(load: Forecast, fairness: Fairness): number {
  const { waiting } = load;
  const budget = load.budget.copy();
  const running = load.running.toSorted((a, b) => a.steps - b.steps);
  let steps = 0;
  while (
    nextStart({ waiting, running, budget }, fairness) === undefined
  ) {
    const ended = running.shift();
    if (ended === undefined) break;
    // Written tokens can be trimmed, so their number is irrelevant here.
    for (const slot of ended.slots) budget.release(slot, 0);
    steps = ended.steps;
  }
  return steps;
}
