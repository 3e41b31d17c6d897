/**
 * The order of records in a tuning run, by its seed alone.
 *
 * A step needs nothing of the steps before it, so that a run goes on anywhere
 * with the records that it would have had.
 *
 * @module
 */

import { uniformAt } from "../sampling/random.ts";

/** Options of {@linkcode DataOrder}. */
export interface DataOrderOptions {
  /** Number of records. */
  readonly records: number;
  /** Number of records that are held out. */
  readonly heldOut: number;
  /** Number of records of a step. */
  readonly batch: number;
  /** Probability that a picture's caption is left out. */
  readonly nullPrompt: number;
  /** Seed of the run. */
  readonly seed: number;
}

/** A record of a step. */
export interface OrderedRecord {
  /** Index of the record in its set. */
  readonly index: number;
  /** True if its caption is left out. */
  readonly withoutText: boolean;
}

/** Independent streams of random numbers; epochs count from each. */
const HELD_OUT_STREAM = 1;
const ORDER_STREAM = 2 ** 24;
const TEXT_STREAM = 2 ** 25;

/** Returns which records each step takes. */
export class DataOrder {
  readonly #options: DataOrderOptions;
  readonly #trained: readonly number[];
  #epoch:
    | { readonly number: number; readonly order: readonly number[] }
    | undefined;
  /** Indices of the records that are held out, ascending. */
  readonly heldOut: readonly number[];

  /** Creates the order of a set. */
  constructor(options: DataOrderOptions) {
    this.#options = options;
    const { records, heldOut, seed } = options;
    const all = shuffled(
      Array.from({ length: records }, (_, index) => index),
      { seed, stream: HELD_OUT_STREAM },
    );
    const ascending = (a: number, b: number) => a - b;
    this.heldOut = all.slice(0, heldOut).sort(ascending);
    this.#trained = all.slice(heldOut).sort(ascending);
  }

  /** Number of records that are trained on. */
  get trained(): number {
    return this.#trained.length;
  }

  /** Number of steps of an epoch; its last one may have fewer records. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.trained / this.#options.batch);
  }

  /**
   * Returns the records of a step.
   *
   * @param step Number of the step, from 1.
   */
  step(step: number): OrderedRecord[] {
    const { batch, nullPrompt, seed } = this.#options;
    const epoch = Math.floor((step - 1) / this.stepsPerEpoch);
    const start = ((step - 1) % this.stepsPerEpoch) * batch;
    return this.#orderOf(epoch).slice(start, start + batch).map((index) => ({
      index,
      withoutText:
        uniformAt({ seed, stream: TEXT_STREAM + epoch }, index) < nullPrompt,
    }));
  }

  #orderOf(number: number): readonly number[] {
    if (this.#epoch?.number !== number) {
      const { seed } = this.#options;
      const key = { seed, stream: ORDER_STREAM + number };
      this.#epoch = { number, order: shuffled(this.#trained, key) };
    }
    return this.#epoch!.order;
  }
}

/** Returns a shuffled copy, by Fisher and Yates. */
function shuffled(
  items: readonly number[],
  key: { readonly seed: number; readonly stream: number },
): number[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(uniformAt(key, i) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
