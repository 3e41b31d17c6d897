/**
 * The resume state of a drawing that stopped, as a plain value from which it
 * continues as if it had not.
 *
 * Random numbers are looked up by position, so the decided codes are most of
 * it. Strategies that speculate also resume their drafts.
 *
 * @module
 */

import type { TokenScore } from "../sampling/log_probabilities.ts";
import type { Outcome } from "../sampling/coupling.ts";
import type { SpeculationState } from "./speculation.ts";

/** A code that may change. */
export interface DraftCode {
  /** The code at present. */
  readonly code: number;
  /** The outcome of its draw; undefined for a mere guess. */
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
  /** Decided codes behind the given rows, in order. */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** Scores, one for each code, if asked for; else empty. */
  readonly scores: readonly TokenScore[];
  /** State of speculation; undefined for strategies without. */
  readonly guesses: Guesses | undefined;
}
