/**
 * One code after the other: each forward judges one.
 *
 * @module
 */

import type { Draft, Judged } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import { distribution } from "../sampling/sampler.ts";
import {
  type DrawingOptions,
  type DrawingPolicy,
  guidedLogits,
} from "./drawing.ts";
import type { DrawnGrid } from "./drawn_grid.ts";

/** Draws code by code. */
export class AutoregressiveDrawing implements DrawingPolicy {
  readonly head = "codes";
  readonly #drawn: DrawnGrid;
  readonly #options: DrawingOptions;
  #position: number;
  /** Tokens of the last draft. */
  #fed = 0;

  /** Goes on where `drawn` starts. */
  constructor(drawn: DrawnGrid, options: DrawingOptions) {
    this.#drawn = drawn;
    this.#options = options;
    this.#position = drawn.start;
  }

  get grid(): CodeGrid {
    return this.#drawn.grid;
  }

  choose([rows]: Judged): Draft | undefined {
    const { guidanceScale, sampling, chanceAt } = this.#options;
    const logits = guidedLogits(rows!, guidanceScale);
    const position = this.#position++;
    const code = chanceAt(position, 0).pick(distribution(logits, sampling));
    this.#drawn.decide(position, code, logits);
    if (this.#position === this.#drawn.end) return undefined;
    const kept = this.#fed;
    const tokens = this.#drawn.tokensOf(position, code);
    this.#fed = tokens.length;
    return { kept, tokens, judged: [tokens.length - 1] };
  }
}
