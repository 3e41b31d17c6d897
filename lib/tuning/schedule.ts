/**
 * The schedule of a tuning run: the number of its steps, and the learning rate
 * of each.
 *
 * ```text
 * rate  ╱‾‾╲__       linear warm-up, then a cosine down to the minimum
 * step  0    …  N
 * ```
 *
 * Source: `cosine_with_min_lr` of huggingface/transformers, which the released
 * scripts use.
 *
 * @module
 */

/** Options of a schedule. */
export interface ScheduleOptions {
  /** Greatest learning rate. */
  readonly learningRate: number;
  /** Learning rate of the last step. */
  readonly minLearningRate: number;
  /** Number of steps of the warm-up. */
  readonly warmupSteps: number;
  /** Number of all steps. */
  readonly steps: number;
}

/**
 * Returns the learning rate of a step.
 *
 * @param step Number of the step, from 1.
 */
export function learningRateAt(
  { learningRate, minLearningRate, warmupSteps, steps }: ScheduleOptions,
  step: number,
): number {
  // A warm-up from zero would waste the first step, as the reference does.
  if (step <= warmupSteps) return learningRate * step / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  const share = 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
  return minLearningRate + (learningRate - minLearningRate) * share;
}

/** Returns the number of steps that pass over `records` `epochs` times. */
export function stepsOf(
  records: number,
  batch: number,
  epochs: number,
): number {
  return Math.ceil(Math.ceil(records / batch) * epochs);
}
