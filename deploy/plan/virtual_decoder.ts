/**
 * The decoder of a simulation: each run takes the time of a cost table and
 * computes nothing.
 *
 * The engine runs on it as on a real model: hidden states have one element, and
 * logits are never read.
 *
 * @module
 */

import {
  type Decoder,
  type Feed,
  MIN_ROWS,
  type MultiTokenRow,
  type Snapshot,
} from "../../lib/decoder/decoder.ts";
import type { HiddenState } from "../../lib/engine/sequence.ts";
import { costOf, type StepCosts } from "./step_cost.ts";

/** The size of an engine. */
export interface EngineSize {
  /** Rows that may run concurrently. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** Tokens that the KV cache may hold. */
  readonly cacheTokens: number;
  /** Most tokens of one prefill. */
  readonly chunkTokens: number;
  /** Durations of its runs. */
  readonly costs: StepCosts;
}

/** The hidden state of a token, and its logits: `[1]`. */
const STATE: HiddenState = new Float32Array(1);
const DONE = Promise.resolve();

/** A decoder whose runs only take time. */
export class VirtualDecoder implements Decoder {
  /** Number of sequences that may run together. */
  readonly slots: number;
  /** Unlimited: the cache limits requests. */
  readonly contextLength: number = Number.MAX_SAFE_INTEGER;
  /** The most tokens that one prefill takes. */
  readonly chunkLength: number;
  readonly #costs: StepCosts;
  readonly #run: (milliseconds: number) => Promise<void>;

  /**
   * Creates the decoder.
   *
   * @param run Called at the start of each run with its duration; resolves at
   * its end.
   */
  constructor(
    { slots, chunkTokens, costs }: EngineSize,
    run: (milliseconds: number) => Promise<void>,
  ) {
    this.slots = slots;
    this.chunkLength = chunkTokens;
    this.#costs = costs;
    this.#run = run;
  }

  /** Takes the time of a chunk. */
  async prefill(_slot: number, { length }: Int32Array): Promise<HiddenState> {
    await this.#run(costOf(this.#costs.prefill, length));
    return new Float32Array(length);
  }

  /** Takes the time of a step: of all rows up to the highest. */
  async step(feeds: readonly Feed[]): Promise<HiddenState[]> {
    let rows = MIN_ROWS;
    let held = 0;
    for (const { slot, position } of feeds) {
      rows = Math.max(rows, slot + 1);
      held += position;
    }
    const { step, heldTokenMs } = this.#costs;
    await this.#run(costOf(step, rows) + heldTokenMs * held);
    return feeds.map(() => STATE);
  }

  /** Takes the time of a speculative step. */
  async multiTokenStep(
    rows: readonly MultiTokenRow[],
  ): Promise<HiddenState[]> {
    await this.#run(costOf(this.#costs.wide, rows.length));
    return rows.map(({ tokens }) => new Float32Array(tokens.length));
  }

  /** Returns a snapshot without contents. */
  save(_slot: number, tokens: number): Promise<Snapshot> {
    return Promise.resolve({ tokens });
  }

  /** Restores nothing, at once: a copy costs about as much as a token. */
  restore(): Promise<void> {
    return DONE;
  }

  /** Frees nothing. */
  discard(): void {}

  /** Moves nothing, at once. */
  move(): Promise<void> {
    return DONE;
  }

  /** Frees nothing. */
  release(): void {}

  /** Frees nothing. */
  trim(): void {}

  /** Returns logits that are never read. */
  logits(
    _head: unknown,
    hidden: readonly HiddenState[],
  ): Promise<HiddenState[]> {
    return Promise.resolve(hidden.map(() => STATE));
  }
}
