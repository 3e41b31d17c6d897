/**
 * The language model as the engine sees it: rows go in, hidden states come out,
 * and a head returns logits for those that the engine selects.
 *
 * Results do not depend on the rest of the batch: a run never has fewer than
 * two rows, since kernels for a single row round differently, and a prompt is
 * divided into chunks by position, never by load.
 *
 * Shapes: E hidden size, V tokens scored by the head, S tokens of a row.
 *
 * @module
 */

import type { Head } from "../engine/policy.ts";

/**
 * The minimum number of rows of a run: kernels for a single row round
 * differently.
 */
export const MIN_ROWS = 2;

/** The maximum number of tokens that a row of a step may have. */
export const MAX_STEP_TOKENS = 2;

/** Tokens appended to one slot in a decode step. */
export interface Feed {
  /** Row of the cache. */
  readonly slot: number;
  /** Tokens to append, one or two. */
  readonly tokens: readonly number[];
  /** Number of tokens that the slot holds already. */
  readonly position: number;
  /** Name of the sequence's adapter; undefined for none. */
  readonly adapter?: string | undefined;
}

/** Tokens appended to one slot in a multi-token step. */
export interface MultiTokenRow {
  /** Row of the cache. */
  readonly slot: number;
  /** Tokens to append; the same number in every row of a run. */
  readonly tokens: readonly number[];
  /** Number of tokens that the slot holds already. */
  readonly position: number;
  /** Name of the sequence's adapter; undefined for none. */
  readonly adapter?: string | undefined;
  /**
   * Position ids of all tokens that the slot will hold, the held ones first;
   * undefined if they are consecutive. A token attends to those with a smaller
   * id, and to itself.
   */
  readonly positionIds?: Int32Array;
}

/** A copy of a slot's keys and values, outside the cache. */
export interface Snapshot {
  /** Number of tokens in the copy. */
  readonly tokens: number;
}

/** A language model with a KV cache of a fixed number of slots. */
export interface Decoder<Kept extends Snapshot = Snapshot> {
  /** Number of sequences that may run together. */
  readonly slots: number;
  /** Number of tokens that a slot holds. */
  readonly contextLength: number;
  /** The maximum number of tokens that one prefill takes. */
  readonly chunkLength: number;

  /**
   * Appends `tokens` to a slot that holds `start` tokens.
   *
   * @param adapter Name of the sequence's adapter; undefined for none.
   * @returns Hidden states `[S, E]`.
   */
  prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
    adapter?: string,
  ): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Appends tokens to each of several slots.
   *
   * @returns The hidden state of each feed's last token, `[E]`; valid until the
   * next call.
   */
  step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]>;

  /**
   * Appends several tokens to each of some slots.
   *
   * @returns Hidden states `[S, E]`, one array per row; valid until the next
   * call.
   */
  multiTokenStep(
    rows: readonly MultiTokenRow[],
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>[]>;

  /** Returns a copy of the first `tokens` tokens of a slot. */
  save(slot: number, tokens: number): Promise<Kept>;

  /** Writes the first `tokens` tokens of a snapshot into a slot. */
  restore(slot: number, snapshot: Kept, tokens: number): Promise<void>;

  /** Frees a snapshot that is no longer used. */
  discard(snapshot: Kept): void;

  /** Moves the first `tokens` tokens of one slot to another. */
  move(from: number, to: number, tokens: number): Promise<void>;

  /** Discards the contents of a slot. */
  release(slot: number): void;

  /** Releases the memory of a slot that was released. */
  trim(slot: number): void;

  /**
   * Returns the logits of hidden states.
   *
   * @param hidden `[E]` each.
   * @param adapters Adapter name of each hidden state; none by default.
   * @returns Logits `[V]`, one array per hidden state; valid until the next
   * call.
   */
  logits(
    head: Head,
    hidden: readonly Float32Array<ArrayBuffer>[],
    adapters?: readonly (string | undefined)[],
  ): Promise<Float32Array<ArrayBuffer>[]>;
}
