/**
 * How a picture is drawn, token by token.
 *
 * Codes are drawn; EOL is forced and fed together with the code before it,
 * since later codes attend to it. What follows the last code is never fed:
 * nothing attends to it.
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

/** How one picture is drawn. */
export interface DrawingOptions extends DrawnGridOptions {
  /** In which way. */
  readonly strategy: Strategy;
  /** Looked at when there is an unconditional row. */
  readonly guidanceScale: number;
  /** How codes are chosen. */
  readonly sampling: SamplingOptions;
  /** What decides where there is something to choose. */
  readonly chanceAt: ChanceAt;
}

/** Draws the codes of one picture. */
export interface DrawingPolicy extends Policy {
  /** Given and drawn codes. */
  readonly grid: CodeGrid;
  /**
   * What it takes to go on from here, after a choice and before the next;
   * undefined for what can only start over.
   */
  readonly halfway: ResumeState | undefined;
}

/**
 * The logits of a code, guided where there is something to guide by.
 *
 * @param rows Conditional and, if there is one, unconditional. Overwritten.
 * @returns `[V]`
 */
export function guidedLogits(
  [conditional, unconditional]: ScoredLogits[number],
  guidanceScale: number,
): Float32Array {
  const logits = conditional!;
  if (unconditional !== undefined) guide(logits, unconditional, guidanceScale);
  return logits;
}
