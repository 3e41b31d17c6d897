/**
 * How a request goes on: the contract between the engine and what chooses
 * tokens.
 *
 * ```text
 * prompt ─▶ choose ─▶ draft ─▶ run ─▶ choose ─▶ draft ─▶ run … ─▶ choose ─▶ end
 *                       │       └ logits of the tokens that are judged
 *                       └ tokens, appended to every row
 * ```
 *
 * Usually a draft is one token, which stays. Strategies that guess ahead append
 * several, look at what the model makes of each, and keep as many as were right.
 *
 * @module
 */

/** Which tokens a head judges. */
export type Head = "codes" | "vocabulary";

/** What to append next. */
export interface Draft {
  /**
   * How many tokens of the draft before stay; those behind them are forgotten.
   * The first draft has none before it: 0.
   */
  readonly kept: number;
  /** Appended to every row; at least one. */
  readonly tokens: readonly number[];
  /** Which of `tokens` are judged, ascending indices; at least one. */
  readonly judged: readonly number[];
  /**
   * Where each token stands, counted from the end of the prompt; undefined when
   * they follow one another. A token sees those that stand before it, fed or
   * being fed, and itself: not those behind, even if they were fed earlier.
   */
  readonly places?: readonly number[];
}

/**
 * Logits of judged tokens: first by token, then by row (the conditional one,
 * then the unconditional one if there is one), `[V]` each. May be overwritten;
 * valid until the policy returns.
 */
export type ScoredLogits = readonly (readonly Float32Array<ArrayBuffer>[])[];

/** What decides how a request goes on. */
export interface Policy {
  /** Which tokens are judged. */
  readonly head: Head;
  /**
   * Chooses what to append.
   *
   * @param judged Of the last draft; at first, of the prompt's last token alone.
   * @returns undefined when all is said.
   */
  choose(judged: ScoredLogits): Draft | undefined;
}
