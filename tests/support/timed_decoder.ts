/**
 * The fake decoder whose runs take the time of a cost table, on a clock that
 * only they advance.
 *
 * @module
 */

import { costOf, type StepCosts } from "../../deploy/plan/step_cost.ts";
import type { Feed, MultiTokenRow } from "../../lib/decoder/decoder.ts";
import { FakeDecoder, type FakeDecoderOptions } from "./fake_decoder.ts";

/** The clock of runs. */
export interface Timed {
  readonly costs: StepCosts;
  /** Advances the time. */
  readonly pass: (milliseconds: number) => void;
}

/** A fake decoder that advances the clock. */
export class TimedDecoder extends FakeDecoder {
  readonly #timed: Timed;

  constructor(options: FakeDecoderOptions, timed: Timed) {
    super(options);
    this.#timed = timed;
  }

  override prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    this.#timed.pass(costOf(this.#timed.costs.prefill, tokens.length));
    return super.prefill(slot, tokens, start, signal);
  }

  override step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]> {
    const { step, heldTokenMs } = this.#timed.costs;
    const height = Math.max(2, 1 + Math.max(...feeds.map(({ slot }) => slot)));
    const held = feeds.reduce((sum, { position }) => sum + position, 0);
    this.#timed.pass(costOf(step, height) + heldTokenMs * held);
    return super.step(feeds);
  }

  override multiTokenStep(
    rows: readonly MultiTokenRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    this.#timed.pass(costOf(this.#timed.costs.wide, rows.length));
    return super.multiTokenStep(rows, signal);
  }
}
