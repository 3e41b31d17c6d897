/**
 * The resume state of a stopped drawing: a plain value, from which it continues
 * to the same picture.
 *
 * Random numbers are looked up by position, so the decided codes suffice;
 * strategies that speculate also resume their drafts.
 *
 * @module
 */

import type { TokenScore } from "../sampling/log_probabilities.ts";
import type { Outcome } from "../sampling/coupling.ts";
import type { SpeculationState } from "./speculation.ts";

/** A code that may change. */
export interface DraftCode {
  /** The current code. */
  readonly code: number;
  /** The outcome of its draw; undefined for a guess that was not drawn. */
  readonly outcome: Outcome | undefined;
  /** Number of times that it was drawn. */
  readonly attempts: number;
}

/** The drafts of a speculative strategy, and the state of its controller. */
export interface Guesses {
  /** Drafts of the first codes that are not decided. */
  readonly drafts: readonly DraftCode[];
  /** State of the speculation controller. */
  readonly controller: SpeculationState;
}

/** The state of a drawing that stopped. */
export interface ResumeState {
  /** Decided codes after the given rows, in order. */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** Scores, one for each code, if requested; else empty. */
  readonly scores: readonly TokenScore[];
  /** State of speculation; undefined for strategies that do not speculate. */
  readonly guesses: Guesses | undefined;
}
