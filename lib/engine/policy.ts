/**
 * The interface between the engine and the policy that chooses the tokens of a
 * request.
 *
 * ```text
 * prompt ─▶ choose ─▶ draft ─▶ run ─▶ choose ─▶ draft ─▶ run … ─▶ choose ─▶ end
 *                       │       └ logits of the scored tokens
 *                       └ tokens, appended to every row
 * ```
 *
 * Usually a draft is one token, which is kept. Strategies that speculate append
 * several, compare each with the model's logits, and keep the correct ones.
 *
 * @module
 */

/** The tokens that a head scores. */
export type Head = "codes" | "vocabulary";

/** The tokens to append next. */
export interface Draft {
  /**
   * Number of tokens of the previous draft that are kept; later ones are
   * discarded. 0 for the first draft.
   */
  readonly kept: number;
  /** Tokens appended to every row; at least one. */
  readonly tokens: readonly number[];
  /** Indices of `tokens` that are scored, ascending; at least one. */
  readonly scored: readonly number[];
  /**
   * Position ids of the tokens, counted from the end of the prompt; undefined
   * if they are consecutive. A token attends to itself and to tokens with a
   * smaller id that were appended before or with it; never to tokens with a
   * greater id.
   */
  readonly positionIds?: readonly number[];
}

/**
 * The logits of scored tokens, `[V]` each: by token, then by row (conditional,
 * then unconditional, if any). They may be overwritten, and are valid until the
 * policy returns.
 */
export type ScoredLogits = readonly (readonly Float32Array<ArrayBuffer>[])[];

/** Chooses the tokens of a request. */
export interface Policy {
  /** The head that scores its tokens. */
  readonly head: Head;
  /**
   * Chooses the tokens to append.
   *
   * @param scored Logits of the last draft; in the first call, of the prompt's
   * last token.
   * @returns Undefined at the end.
   */
  choose(scored: ScoredLogits): Draft | undefined;
}
