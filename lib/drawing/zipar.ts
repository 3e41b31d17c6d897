/**
 * ZipAR: a row starts before the one above it is done, so that several rows are
 * drawn side by side, each one code a forward.
 *
 * ```text
 * c c c c c c ▒        c decided   ▒ judged in this forward
 * c c c ▒     e        e EOL of the row above, where it will stand: what
 * ▒                      judges the first code of a row
 * ```
 *
 * Lossy: a new row does not see the unfinished end of the row above. How far
 * the row above must be ahead adapts: the first code of a row is drawn again
 * with each code more above it, and stays once two draws agree or the row above
 * is done.
 *
 * Source: He et al., "ZipAR: Parallel Auto-regressive Image Generation through
 * Spatial Locality", ICML 2025.
 *
 * @module
 */

import type { Draft, ScoredLogits } from "../engine/policy.ts";
import type { CodeGrid } from "../grid.ts";
import { type Outcome, redraw } from "../sampling/coupling.ts";
import { type Distribution, distribution } from "../sampling/sampler.ts";
import {
  type DrawingOptions,
  type DrawingPolicy,
  guidedLogits,
} from "./drawing.ts";
import type { DrawnGrid } from "./drawn_grid.ts";

/** The first code of a row that may not start yet. */
interface FirstCode {
  readonly outcome: Outcome | undefined;
  /** How often it was drawn. */
  readonly attempts: number;
}

const UNDRAWN: FirstCode = { outcome: undefined, attempts: 0 };

/** Draws rows side by side. */
export class ZiparDrawing implements DrawingPolicy {
  readonly head = "codes";
  readonly #drawn: DrawnGrid;
  readonly #options: DrawingOptions;
  readonly #window: number;
  /** Positions that the last draft judges, by row. */
  #asked: readonly number[];
  /** Tokens of the last draft. */
  #fed = 0;
  /** The first row that has not started. */
  #nextRow: number;
  /** Its first code. */
  #firstCode = UNDRAWN;
  /** Whether the last draft showed it all of the row above. */
  #sawRow = false;

  /**
   * Goes on where `drawn` starts.
   *
   * @param window Codes that a row is ahead of the next at least, 1 or more.
   */
  constructor(drawn: DrawnGrid, options: DrawingOptions, window: number) {
    this.#drawn = drawn;
    this.#options = options;
    this.#window = Math.min(window, options.size.width);
    this.#asked = [drawn.start];
    this.#nextRow = drawn.start / options.size.width + 1;
  }

  get grid(): CodeGrid {
    return this.#drawn.grid;
  }

  /** What was fed saw less than a prompt would, so there is no going on. */
  get halfway(): undefined {
    return undefined;
  }

  choose(judged: ScoredLogits): Draft | undefined {
    const decided = this.#asked.filter((position, i) =>
      this.#decide(position, judged[i]!)
    );
    // An EOL that did not start its row is fed again, when it sees more.
    const kept = this.#fed - (this.#asked.length - decided.length);
    const { height, width } = this.#options.size;
    const done = this.#drawn.countIn(height - 1) === width;
    return done ? undefined : this.#nextDraft(kept, decided);
  }

  /** Whether the code at `position` is now decided. */
  #decide(position: number, rows: ScoredLogits[number]): boolean {
    const { guidanceScale, sampling, chanceAt } = this.#options;
    const logits = guidedLogits(rows, guidanceScale);
    const law = distribution(logits, sampling);
    const kept = this.#drawn.keptAt(position);
    const starts = position === this.#nextRow * this.#options.size.width;
    const code = starts
      ? this.#startRow(position, law, kept)
      : kept ?? chanceAt(position, 0).pick(law);
    if (code === undefined) return false;
    this.#drawn.decide(position, code, logits);
    return true;
  }

  /** The first code of the next row; undefined when that must wait. */
  #startRow(
    position: number,
    law: Distribution,
    kept: number | undefined,
  ): number | undefined {
    if (kept !== undefined) {
      this.#nextRow++;
      return kept;
    }
    const { outcome, attempts } = this.#firstCode;
    const chance = this.#options.chanceAt(position, attempts);
    const token = redraw(outcome, law, chance);
    if (this.#sawRow || token === outcome?.token) {
      this.#firstCode = UNDRAWN;
      this.#nextRow++;
      return token;
    }
    this.#firstCode = { outcome: { token, law }, attempts: attempts + 1 };
    return undefined;
  }

  /** What was decided, and the EOL that may start a row. */
  #nextDraft(kept: number, decided: readonly number[]): Draft {
    const drawn = this.#drawn;
    const { height, width } = this.#options.size;
    const asked: number[] = [];
    const tokens: number[] = [];
    const places: number[] = [];
    const judged: number[] = [];
    const judge = (position: number) => {
      asked.push(position);
      judged.push(tokens.length - 1);
    };
    for (const position of decided) {
      tokens.push(drawn.tokenOf(drawn.codeAt(position)));
      places.push(drawn.placeOf(position));
      if ((position + 1) % width !== 0) judge(position + 1);
    }
    const above = this.#nextRow < height ? drawn.countIn(this.#nextRow - 1) : 0;
    if (above >= this.#window) {
      const first = this.#nextRow * width;
      tokens.push(drawn.eol);
      places.push(drawn.placeOf(first) - 1);
      judge(first);
    }
    this.#sawRow = above === width;
    this.#asked = asked;
    this.#fed = tokens.length;
    return { kept, tokens, judged, places };
  }
}
