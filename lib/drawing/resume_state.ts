/**
 * A drawing that stopped half-way, as a plain value: what it takes to go on as
 * if it had not.
 *
 * Draws are looked up by position, so the decided codes are most of it. What
 * guesses ahead also goes on from its guesses.
 *
 * @module
 */

import type { TokenScore } from "../sampling/log_probabilities.ts";
import type { Outcome } from "../sampling/coupling.ts";
import type { PatienceState } from "./speculation.ts";

/** A code that may change. */
export interface DraftCode {
  /** What it is for now. */
  readonly code: number;
  /** Undefined for a mere guess. */
  readonly outcome: Outcome | undefined;
  /** How often it was drawn. */
  readonly attempts: number;
}

/** What guesses there are, and whether they are worth it. */
export interface Guesses {
  /** Of the first codes that are not decided. */
  readonly drafts: readonly DraftCode[];
  /** How guessing went. */
  readonly patience: PatienceState;
}

/** A drawing that stopped half-way. */
export interface ResumeState {
  /** Decided codes behind the given rows, in order. */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** One a code, when asked for. */
  readonly judgements: readonly TokenScore[];
  /** Undefined where nothing is guessed. */
  readonly guesses: Guesses | undefined;
}
