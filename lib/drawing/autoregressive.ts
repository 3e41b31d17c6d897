/**
 * The autoregressive strategy: each forward pass scores one code.
 *
 * @module
 */

import type { Draft, ScoredLogits } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import { distributionOf } from "../sampling/sampler.ts";
import {
  type DrawingOptions,
  type DrawingPolicy,
  guidedLogits,
} from "./drawing.ts";
import type { DrawnGrid } from "./drawn_grid.ts";
import type { ResumeState } from "./resume_state.ts";

/** Draws a picture code by code. */
export class AutoregressiveDrawing implements DrawingPolicy {
  readonly head = "codes";
  readonly #drawn: DrawnGrid;
  readonly #options: DrawingOptions;
  #position: number;
  /** Number of tokens in the last draft. */
  #appended = 0;
  /** True until the codes of the resume state were appended. */
  #restored: boolean;

  /** Creates the policy, which continues where `drawn` starts. */
  constructor(drawn: DrawnGrid, options: DrawingOptions) {
    this.#drawn = drawn;
    this.#options = options;
    this.#position = drawn.reached;
    this.#restored = drawn.reached > drawn.start;
  }

  get grid(): CodeGrid {
    return this.#drawn.grid;
  }

  get resumeState(): ResumeState {
    return { ...this.#drawn.resumeStateAt(this.#position), guesses: undefined };
  }

  choose([rows]: ScoredLogits): Draft | undefined {
    if (this.#restored) return this.#continue();
    const { guidanceScale, sampling, chanceAt } = this.#options;
    const logits = guidedLogits(rows!, guidanceScale);
    const drawn = this.#drawn;
    const position = this.#position;
    const code = drawn.keptAt(position) ??
      chanceAt(position, 0).pick(distributionOf(logits, sampling));
    drawn.decide(position, code, logits);
    this.#position = drawn.skipKept(position + 1);
    if (this.#position === drawn.end) return undefined;
    const kept = this.#appended;
    const tokens = drawn.decidedTokens(position, this.#position);
    this.#appended = tokens.length;
    return { kept, tokens, scored: [tokens.length - 1] };
  }

  /** Returns a draft of the decided codes that are not in the prompt. */
  #continue(): Draft | undefined {
    this.#restored = false;
    const drawn = this.#drawn;
    drawn.reportRestored();
    if (drawn.reached === drawn.end) return undefined;
    const tokens = drawn.decidedTokens(drawn.start, drawn.reached);
    this.#appended = tokens.length;
    return { kept: 0, tokens, scored: [tokens.length - 1] };
  }
}
