/**
 * The contract between the engine and the policy that chooses the tokens of a
 * request.
 *
 * ```text
 * prompt ─▶ choose ─▶ draft ─▶ run ─▶ choose ─▶ draft ─▶ run … ─▶ choose ─▶ end
 *                       │       └ logits of the tokens that are scored
 *                       └ tokens, appended to every row
 * ```
 *
 * Usually a draft is one token, which stays. Strategies that speculate append
 * several, compare each with the model's logits, and keep as many as were
 * right.
 *
 * @module
 */

/** The tokens that a head scores. */
export type Head = "codes" | "vocabulary";

/** The tokens to append next. */
export interface Draft {
  /**
   * Number of tokens of the previous draft that stay; those behind them are
   * discarded. The first draft has none before it: 0.
   */
  readonly kept: number;
  /** Tokens appended to every row; at least one. */
  readonly tokens: readonly number[];
  /** Indices of `tokens` that are scored, ascending; at least one. */
  readonly scored: readonly number[];
  /**
   * Position ids of the tokens, counted from the end of the prompt; undefined
   * if they follow one another. A token attends to those with a smaller id, appended
   * before or with it, and to itself: not to those behind, even if they were
   * appended earlier.
   */
  readonly positionIds?: readonly number[];
}

/**
 * The logits of scored tokens: first by token, then by row (the conditional
 * one, then the unconditional one if there is one), `[V]` each. May be
 * overwritten; valid until the policy returns.
 */
export type ScoredLogits = readonly (readonly Float32Array<ArrayBuffer>[])[];

/** Decides how a request continues. */
export interface Policy {
  /** The head that scores its tokens. */
  readonly head: Head;
  /**
   * Chooses the tokens to append.
   *
   * @param scored Logits of the last draft; at first, of the prompt's last
   * token alone.
   * @returns Undefined at the end.
   */
  choose(scored: ScoredLogits): Draft | undefined;
}
