/**
 * The language model as the engine sees it: rows go in, hidden states come out,
 * and a head judges those that are asked for.
 *
 * Results do not depend on what else is in the batch: a run never has fewer
 * than two rows, since kernels for a single row round differently, and a prompt
 * is cut into chunks by position, never by load.
 *
 * Shapes: E hidden size, V tokens judged by the head, S tokens of a row.
 *
 * @module
 */

import type { Head } from "../engine/policy.ts";

/** Fewer rows than this and kernels round differently. */
export const MIN_ROWS = 2;

/** Tokens that a row of a step may have. */
export const MAX_STEP_TOKENS = 2;

/** Tokens for one slot in a step. */
export interface Feed {
  /** Row of the cache. */
  readonly slot: number;
  /** Tokens to append, one or two. */
  readonly tokens: readonly number[];
  /** Tokens that the slot holds already. */
  readonly position: number;
}

/** Tokens for one slot in a wide run. */
export interface WideRow {
  /** Row of the cache. */
  readonly slot: number;
  /** Tokens to append; every row of a run has as many. */
  readonly tokens: readonly number[];
  /** Tokens that the slot holds already. */
  readonly position: number;
  /**
   * Where tokens stand if not one after the other: of each that the slot will
   * hold, the held ones first. A token sees those that stand before it, and
   * itself.
   */
  readonly places?: Int32Array;
}

/** What a slot held, outside of it. */
export interface Snapshot {
  /** How many tokens. */
  readonly tokens: number;
}

/** A language model with a cache of some slots. */
export interface Decoder<Kept extends Snapshot = Snapshot> {
  /** Sequences that may run together. */
  readonly slots: number;
  /** Tokens that a slot holds. */
  readonly contextLength: number;
  /** Tokens that one prefill takes at most. */
  readonly chunkLength: number;

  /**
   * Appends `tokens` to a slot that holds `start` tokens.
   *
   * @returns Hidden states `[S, E]`.
   */
  prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Appends tokens to each of several slots.
   *
   * @returns The hidden state of each feed's last token, `[E]`; valid until the
   * next call.
   */
  step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]>;

  /**
   * Appends several tokens to each of a few slots.
   *
   * @returns Hidden states `[S, E]`, one array a row; valid until the next call.
   */
  wide(
    rows: readonly WideRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]>;

  /** A copy of the first `tokens` that a slot holds. */
  save(slot: number, tokens: number): Promise<Kept>;

  /** Puts the first `tokens` of a snapshot into a slot. */
  restore(slot: number, snapshot: Kept, tokens: number): Promise<void>;

  /** Frees a snapshot that nobody uses any more. */
  discard(snapshot: Kept): void;

  /** Moves what a slot holds, `tokens` of them, to another. */
  move(from: number, to: number, tokens: number): Promise<void>;

  /** Forgets what a slot holds. */
  release(slot: number): void;

  /** Gives back the memory of a slot that was released. */
  trim(slot: number): void;

  /**
   * What the head makes of some hidden states.
   *
   * @param hidden `[E]` each.
   * @returns Logits `[V]`, one a hidden state; valid until the next call.
   */
  logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
  ): Promise<Float32Array<ArrayBuffer>[]>;
}
