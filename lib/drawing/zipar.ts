/**
 * The ZipAR strategy: a row starts before the row above it is complete, so that
 * several rows are drawn in parallel, one code of each in a forward pass.
 *
 * ```text
 * c c c c c c ▒        c decided   ▒ scored in this forward pass
 * c c c ▒     e        e EOL of the row above, at its final position:
 * ▒                      it scores the first code of the next row
 * ```
 *
 * Lossy: a new row does not attend to the unfinished end of the row above. The
 * lead of the row above is adaptive: the first code of a row is redrawn with
 * each further code above it, and is decided once two draws agree or the row
 * above is complete.
 *
 * Source: He et al., "ZipAR: Parallel Auto-regressive Image Generation through
 * Spatial Locality", ICML 2025.
 *
 * @module
 */

import type { Draft, ScoredLogits } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import { type Outcome, resample } from "../sampling/coupling.ts";
import { type Distribution, distributionOf } from "../sampling/sampler.ts";
import {
  type DrawingOptions,
  type DrawingPolicy,
  guidedLogits,
} from "./drawing.ts";
import type { DrawnGrid } from "./drawn_grid.ts";

/** The first code of the next row, which may not start yet. */
interface FirstCode {
  readonly outcome: Outcome | undefined;
  /** Number of times that it was drawn. */
  readonly attempts: number;
}

const UNDRAWN: FirstCode = { outcome: undefined, attempts: 0 };

/** Draws several rows of a picture in parallel. */
export class ZiparDrawing implements DrawingPolicy {
  readonly head = "codes";
  readonly #drawn: DrawnGrid;
  readonly #options: DrawingOptions;
  readonly #window: number;
  /** Positions that the last draft scores, by row. */
  #scored: readonly number[];
  /** Number of tokens in the last draft. */
  #appended = 0;
  /** The first row that has not started. */
  #nextRow: number;
  /** The first code of that row. */
  #firstCode = UNDRAWN;
  /** True if the row above was complete in the last draft. */
  #rowAboveComplete = false;

  /**
   * Creates the policy, which continues where `drawn` starts.
   *
   * @param window The minimum lead of a row over the next, in codes, 1 or more.
   */
  constructor(drawn: DrawnGrid, options: DrawingOptions, window: number) {
    this.#drawn = drawn;
    this.#options = options;
    this.#window = Math.min(window, options.size.width);
    this.#scored = [drawn.start];
    this.#nextRow = drawn.start / options.size.width + 1;
  }

  get grid(): CodeGrid {
    return this.#drawn.grid;
  }

  /**
   * Undefined: a prompt of the same tokens would have other hidden states,
   * since each token attended only to those appended before it.
   */
  get resumeState(): undefined {
    return undefined;
  }

  choose(scored: ScoredLogits): Draft | undefined {
    const decided = this.#scored.filter((position, i) =>
      this.#decide(position, scored[i]!)
    );
    // An EOL that did not start its row is discarded and appended again later.
    const kept = this.#appended - (this.#scored.length - decided.length);
    const { height, width } = this.#options.size;
    const done = this.#drawn.countIn(height - 1) === width;
    return done ? undefined : this.#nextDraft(kept, decided);
  }

  /** Returns true if the code at `position` is now decided. */
  #decide(position: number, rows: ScoredLogits[number]): boolean {
    const { guidanceScale, sampling, chanceAt } = this.#options;
    const logits = guidedLogits(rows, guidanceScale);
    const distribution = distributionOf(logits, sampling);
    const kept = this.#drawn.keptAt(position);
    const starts = position === this.#nextRow * this.#options.size.width;
    const code = starts
      ? this.#startRow(position, distribution, kept)
      : kept ?? chanceAt(position, 0).pick(distribution);
    if (code === undefined) return false;
    this.#drawn.decide(position, code, logits);
    return true;
  }

  /** Returns the first code of the next row; undefined if the row must wait. */
  #startRow(
    position: number,
    distribution: Distribution,
    kept: number | undefined,
  ): number | undefined {
    if (kept !== undefined) {
      this.#nextRow++;
      return kept;
    }
    const { outcome, attempts } = this.#firstCode;
    const chance = this.#options.chanceAt(position, attempts);
    const token = resample(outcome, distribution, chance);
    if (this.#rowAboveComplete || token === outcome?.token) {
      this.#firstCode = UNDRAWN;
      this.#nextRow++;
      return token;
    }
    this.#firstCode = {
      outcome: { token, distribution },
      attempts: attempts + 1,
    };
    return undefined;
  }

  /**
   * Returns a draft of the decided codes, and of the EOL that may start a row.
   */
  #nextDraft(kept: number, decided: readonly number[]): Draft {
    const drawn = this.#drawn;
    const { height, width } = this.#options.size;
    const positions: number[] = [];
    const tokens: number[] = [];
    const positionIds: number[] = [];
    const scored: number[] = [];
    const score = (position: number) => {
      positions.push(position);
      scored.push(tokens.length - 1);
    };
    for (const position of decided) {
      tokens.push(drawn.tokenOf(drawn.codeAt(position)));
      positionIds.push(drawn.positionIdOf(position));
      if ((position + 1) % width !== 0) score(position + 1);
    }
    const above = this.#nextRow < height ? drawn.countIn(this.#nextRow - 1) : 0;
    if (above >= this.#window) {
      const first = this.#nextRow * width;
      tokens.push(drawn.eol);
      positionIds.push(drawn.positionIdOf(first) - 1);
      score(first);
    }
    this.#rowAboveComplete = above === width;
    this.#scored = positions;
    this.#appended = tokens.length;
    return { kept, tokens, scored, positionIds };
  }
}
