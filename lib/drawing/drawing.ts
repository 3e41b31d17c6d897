/**
 * The interface of policies that draw a picture, token by token.
 *
 * Codes are sampled; EOL is forced and appended together with the code before
 * it, since later codes attend to it. Tokens after the last code are never
 * appended: nothing attends to them.
 *
 * @module
 */

import type { Policy, ScoredLogits } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import type { ChanceAt } from "../sampling/chance.ts";
import { guide } from "../sampling/guidance.ts";
import type { SamplingOptions } from "../sampling/sampler.ts";
import type { DrawnGridOptions } from "./drawn_grid.ts";
import type { ResumeState } from "./resume_state.ts";
import type { Strategy } from "./strategy.ts";

/** Options of a drawing of one picture. */
export interface DrawingOptions extends DrawnGridOptions {
  /** The strategy of drawing. */
  readonly strategy: Strategy;
  /** The guidance scale; used if there is an unconditional row. */
  readonly guidanceScale: number;
  /** Options that choose each code. */
  readonly sampling: SamplingOptions;
  /** The random numbers of each position. */
  readonly chanceAt: ChanceAt;
}

/** Draws the codes of one picture. */
export interface DrawingPolicy extends Policy {
  /** The given and drawn codes. */
  readonly grid: CodeGrid;
  /**
   * The state to resume from, valid between two choices; undefined if the
   * drawing cannot be resumed.
   */
  readonly resumeState: ResumeState | undefined;
}

/**
 * Returns the logits of a code, guided if there is an unconditional row.
 *
 * @param rows Conditional and, if there is one, unconditional logits;
 * overwritten.
 * @returns Logits, `[V]`.
 */
export function guidedLogits(
  [conditional, unconditional]: ScoredLogits[number],
  guidanceScale: number,
): Float32Array {
  const logits = conditional!;
  if (unconditional !== undefined) guide(logits, unconditional, guidanceScale);
  return logits;
}
