/**
 * The language model as the engine sees it: rows go in, hidden states come out,
 * and a head judges those that are asked for.
 *
 * Results do not depend on what else is in the batch: a run never has fewer
 * than two rows, since kernels for a single row round differently, and a prompt
 * is cut into chunks by position, never by load.
 *
 * Shapes: E hidden size, V tokens judged by the head, S tokens of a chunk.
 *
 * @module
 */

/** Fewer rows than this and kernels round differently. */
export const MIN_ROWS = 2;

/** Which tokens a head judges. */
export type Head = "codes" | "vocabulary";

/** One token for one slot. */
export interface Feed {
  /** Row of the cache. */
  readonly slot: number;
  /** Token to append. */
  readonly token: number;
  /** Tokens that the slot holds already. */
  readonly position: number;
}

/** A language model with a cache of some slots. */
export interface Decoder {
  /** Sequences that may run together. */
  readonly slots: number;
  /** Tokens that a slot holds. */
  readonly contextLength: number;
  /** Tokens that one prefill takes at most. */
  readonly chunkLength: number;

  /**
   * Appends `tokens` to a slot that holds `start` tokens.
   *
   * @returns Hidden states `[S, E]`; valid until the next call.
   */
  prefill(
    slot: number,
    tokens: Int32Array,
    start: number,
    signal?: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Appends one token to each of several slots.
   *
   * @returns Hidden states `[E]`, one a feed; valid until the next call.
   */
  step(feeds: readonly Feed[]): Promise<Float32Array<ArrayBuffer>[]>;

  /** Forgets what a slot holds. */
  release(slot: number): void;

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
