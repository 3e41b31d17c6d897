/**
 * The trainer: steps over a set, with gradients of several sequences a step,
 * and losses of what is held out.
 *
 * ```text
 * order ─▶ sequences ─▶ gradients, added up ─▶ clipped ─▶ AdamW ─▶ step
 * ```
 *
 * A run is its parameters, its moments and the number of the last step; all
 * else follows from the seed. So a resumed run has the bits of one that was not
 * interrupted, on a CPU with the same number of threads.
 *
 * @module
 */

import type { DataOrder } from "./data_order.ts";
import type { Optimizer } from "./optimizer.ts";
import { labeledPart } from "./passes/labeled_part.ts";
import { learningRateAt, type ScheduleOptions } from "./schedule.ts";
import type { TuningSequence } from "./sequence.ts";
import { TuningError } from "./tuning_error.ts";
import type { TuningModel } from "./tuning_model.ts";

/** The parts of a run. */
export interface TrainerOptions {
  /** Model with the parameters. */
  readonly model: Pick<TuningModel, "accumulate" | "losses">;
  /** Optimizer of its parameters. */
  readonly optimizer: Pick<Optimizer, "gradientNorm" | "step">;
  /** Order of the records. */
  readonly order: DataOrder;
  /** Reader of a record's sequence. */
  readonly sequence: (
    index: number,
    withoutText: boolean,
  ) => Promise<TuningSequence>;
  /** Schedule of the run. */
  readonly schedule: ScheduleOptions;
  /** Number of the last step that was taken before; 0 for a new run. */
  readonly start: number;
  /** Number of steps between losses of what is held out; 0 for none. */
  readonly evaluateEvery: number;
}

/** A finished step. */
export interface TuningStep {
  /** Number of the step, from 1. */
  readonly step: number;
  /**
   * Mean over its records of the mean loss of each one's labels, before the
   * step, in nats: an answer of a few tokens counts as much as a picture of
   * thousands. Of replayed records it is the cross-entropy with the base's
   * probabilities, which is not 0 at best.
   */
  readonly loss: number;
  /** Norm of all gradients before they were clipped. */
  readonly gradientNorm: number;
  /** Learning rate of the step. */
  readonly learningRate: number;
  /** Number of tokens of its sequences. */
  readonly tokens: number;
  /** Passes over the set so far, in part too. */
  readonly epoch: number;
  /**
   * The same mean of the records that are held out, after the step and by labels
   * for all of them; undefined if it was not computed.
   */
  readonly heldOutLoss: number | undefined;
}

/**
 * Trains to the last step, and yields each.
 *
 * @throws {TuningError} If the loss or a gradient is no number, or a record
 * cannot be used.
 */
export async function* train(
  options: TrainerOptions,
  signal: AbortSignal,
): AsyncGenerator<TuningStep> {
  const { optimizer, order, schedule, start, evaluateEvery } = options;
  let next = start < schedule.steps ? batchOf(options, start + 1) : undefined;
  for (let step = start + 1; step <= schedule.steps; step++) {
    const batch = await next!;
    // Read while the step is computed; an error surfaces when it is awaited.
    next = step < schedule.steps ? batchOf(options, step + 1) : undefined;
    next?.catch(() => {});
    const { loss, tokens } = await gradientsOf(options, batch, signal);
    const gradientNorm = await optimizer.gradientNorm();
    requireNumbers(step, loss, gradientNorm);
    const learningRate = learningRateAt(schedule, step);
    await optimizer.step(step, learningRate, gradientNorm);
    const evaluates = evaluateEvery > 0 &&
      (step % evaluateEvery === 0 || step === schedule.steps);
    yield {
      step,
      loss,
      gradientNorm,
      learningRate,
      tokens,
      epoch: step / order.stepsPerEpoch,
      heldOutLoss: evaluates ? await heldOutLoss(options, signal) : undefined,
    };
  }
}

/** Number of held-out records that are read at once. */
const HELD_OUT_READ = 64;

/** Returns the mean loss of what is held out; undefined if nothing is. */
export async function heldOutLoss(
  { model, order, sequence }: Pick<
    TrainerOptions,
    "model" | "order" | "sequence"
  >,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { length } = order.heldOut;
  let total = 0;
  for (let start = 0; start < length; start += HELD_OUT_READ) {
    const sequences = await Promise.all(
      order.heldOut.slice(start, start + HELD_OUT_READ)
        .map((index) => sequence(index, false)),
    );
    for (const { sum, labels } of await model.losses(sequences, signal)) {
      total += sum / labels;
    }
  }
  return length === 0 ? undefined : total / length;
}

async function batchOf(
  { order, sequence }: TrainerOptions,
  step: number,
): Promise<TuningSequence[]> {
  const sequences: TuningSequence[] = [];
  for (const { index, withoutText } of order.step(step)) {
    sequences.push(await sequence(index, withoutText));
  }
  return sequences;
}

async function gradientsOf(
  { model }: TrainerOptions,
  batch: readonly TuningSequence[],
  signal: AbortSignal,
): Promise<{ loss: number; tokens: number }> {
  const weighted = batch.map((sequence) => {
    const labels = labeledPart(sequence).targets.length * batch.length;
    return { sequence, weight: 1 / labels };
  });
  const losses = await model.accumulate(weighted, signal);
  return {
    loss: losses.reduce(
      (mean, { sum, labels }) => mean + sum / (labels * batch.length),
      0,
    ),
    tokens: batch.reduce((sum, { tokens }) => sum + tokens.length, 0),
  };
}

function requireNumbers(step: number, loss: number, norm: number): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  const subject = Number.isFinite(loss) ? "a gradient" : "the loss";
  throw new TuningError(
    `${subject} of step ${step} is not a number: lower --learning-rate, raise --warmup or lower --max-grad-norm, and run it again, which goes on from the last checkpoint`,
  );
}
