/**
 * When a place in a full queue is free.
 *
 * Looks ahead with the same rules that admit: those that run end one by one, and
 * the first of these ends after which somebody starts frees a place.
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
  /** Those it holds. */
  readonly slots: readonly number[];
  /** Steps until it is done, chunks of its prompts included. */
  readonly steps: number;
}

/** All that wants to run, and how long what runs will. */
export interface Forecast extends Load {
  /** In any order. */
  readonly running: readonly Running[];
}

/**
 * In how many seconds one of those that wait is going to start; at least 1.
 *
 * @param secondsPerStep As measured.
 */
export function retryAfterSeconds(
  load: Forecast,
  fairness: Fairness,
  secondsPerStep: number,
): number {
  const seconds = stepsUntilStart(load, fairness) * secondsPerStep;
  return Math.max(1, Math.ceil(seconds));
}

/** Steps until one of those that wait can start; 0 if one can at once. */
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
    // What it wrote can be trimmed, and so does not matter here.
    for (const slot of ended.slots) budget.release(slot, 0);
    steps = ended.steps;
  }
  return steps;
}
