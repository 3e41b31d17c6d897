/**
 * The grid of a picture that is being drawn: its codes so far, the position ids
 * of their tokens, and a callback for each finished row.
 *
 * ```text
 * position      0 1 2 │ 3 4 5 │ …         of a code, given rows included
 * position id   0 1 2 3 4 5 6 7 …         of a token, from the end of the prompt
 *               c c c e c c c e           c code, e EOL
 * ```
 *
 * The prompt ends with the given rows, so position ids count from the first row
 * that is drawn. The prompt of a resumed drawing also contains rows that were
 * drawn before. Of a clip, the frames are one below the other; other tokens are
 * forced (`token_layout.ts`).
 *
 * @module
 */

import type { CodeGrid, GridSize } from "../grid.ts";
import { scoreToken, type TokenScore } from "../sampling/log_probabilities.ts";
import { type ClipMotion, clipMotion, movedFrom } from "./clip_motion.ts";
import type { ResumeState } from "./resume_state.ts";
import type { KeptCodes } from "./kept_codes.ts";
import { forcedAfter, rowsLength, type TokenLayout } from "./token_layout.ts";
import { tokenFromCode, type Vocabulary } from "../vocabulary.ts";

/** A finished row. */
export interface DrawnRow {
  /** Index of the row, from the top. */
  readonly index: number;
  /** Codes of the row, `[width]`. */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** Scores, one for each code, if requested; else empty. */
  readonly scores: readonly TokenScore[];
}

/** Options of {@linkcode DrawnGrid}. */
export interface DrawnGridOptions {
  /** Size of the picture, in codes; of all frames of a clip together. */
  readonly size: GridSize;
  /** The forced tokens between the codes. */
  readonly layout: TokenLayout;
  /** Given rows, fewer than `size` has. */
  readonly prefix: CodeGrid | undefined;
  /** Codes of `size` that stay; none by default. */
  readonly keep?: KeptCodes | undefined;
  /**
   * Number of the most probable codes to record at each position; 0 for none.
   */
  readonly logprobs: number;
  /** The state to resume from; undefined to start. */
  readonly resumeState: ResumeState | undefined;
}

/**
 * Returns the rows at the end of the prompt: the given ones, and those decided
 * above the newest code, which is appended again to be scored.
 */
export function promptRows(
  { size, prefix, resumeState }: Pick<
    DrawnGridOptions,
    "size" | "prefix" | "resumeState"
  >,
): number {
  const decided = resumeState?.codes.length ?? 0;
  const above = decided === 0 ? 0 : Math.floor((decided - 1) / size.width);
  return (prefix?.height ?? 0) + above;
}

/** Holds the decided codes of a picture. */
export class DrawnGrid {
  readonly #vocabulary: Vocabulary;
  readonly #options: DrawnGridOptions;
  readonly #onRow: (row: DrawnRow) => void;
  readonly #codes: Uint16Array<ArrayBuffer>;
  readonly #scores: TokenScore[];
  /** Number of decided codes by row. */
  readonly #counts: Int32Array;
  /** Index of the first row that was not reported. */
  #unreported: number;
  /** The motion between the last two of a number of decided frames. */
  #motion:
    | { readonly decided: number; readonly motion: ClipMotion | undefined }
    | undefined;
  /** The first position that is drawn in this run. */
  readonly start: number;
  /** The first position that was not decided at the start. */
  readonly reached: number;

  /**
   * Creates the grid after the given rows; `onRow` is called with the others,
   * from the top.
   */
  constructor(
    vocabulary: Vocabulary,
    options: DrawnGridOptions,
    onRow: (row: DrawnRow) => void,
  ) {
    this.#vocabulary = vocabulary;
    this.#options = options;
    this.#onRow = onRow;
    const { size: { height, width }, prefix } = options;
    this.#codes = new Uint16Array(height * width);
    if (prefix !== undefined) this.#codes.set(prefix.codes);
    this.#scores = [];
    this.#unreported = prefix?.height ?? 0;
    this.#counts = new Int32Array(height);
    this.#counts.fill(width, 0, this.#unreported);
    this.start = promptRows(options) * width;
    this.reached = this.#unreported * width + this.#restore(options);
  }

  /** The given and decided codes. */
  get grid(): CodeGrid {
    return { ...this.#options.size, codes: this.#codes };
  }

  /**
   * Returns the resume state of the codes decided after the given rows.
   *
   * @param position The first that is not decided.
   */
  resumeStateAt(position: number): Pick<ResumeState, "codes" | "scores"> {
    const given = this.#options.prefix?.codes.length ?? 0;
    return {
      codes: this.#codes.slice(given, position),
      scores: this.#scores.slice(given, position),
    };
  }

  /** Reports rows that were decided at the start. */
  reportRestored(): void {
    this.#tellComplete();
  }

  /** The position after the last. */
  get end(): number {
    return this.#codes.length;
  }

  /** The token that ends a row of a picture. */
  get eol(): number {
    return this.#vocabulary.eol;
  }

  /** Returns the code at a decided position. */
  codeAt(position: number): number {
    return this.#codes[position]!;
  }

  /** Returns the number of decided codes in a row; they are its first codes. */
  countIn(row: number): number {
    return this.#counts[row]!;
  }

  /** Returns the kept code at a position; undefined for a drawn one. */
  keptAt(position: number): number | undefined {
    const { keep } = this.#options;
    return keep?.kept[position] === 1 ? keep.codes[position] : undefined;
  }

  /**
   * Decides the kept codes from `position` up, without logits: at most one row
   * of them, so that a draft stays short, or all if no drawn code follows.
   * Decides none if each code is scored.
   *
   * @returns The first position that is not decided.
   */
  skipKept(position: number): number {
    const { keep, logprobs, size: { width } } = this.#options;
    if (keep === undefined || logprobs > 0) return position;
    const last = keep.kept.lastIndexOf(0);
    const limit = position > last ? this.end : Math.min(position + width, last);
    let next = position;
    for (; next < limit && keep.kept[next] === 1; next++) {
      this.#codes[next] = keep.codes[next]!;
      this.#counts[Math.floor(next / width)]!++;
    }
    this.#tellComplete();
    return next;
  }

  /**
   * Returns the position id of a position's token, from the end of the prompt.
   */
  positionIdOf(position: number): number {
    const { size: { width }, layout } = this.#options;
    const row = Math.floor(position / width);
    const above = rowsLength(layout, width, this.start / width, row);
    return above + position % width;
  }

  /** Returns the token of a code. */
  tokenOf(code: number): number {
    return tokenFromCode(this.#vocabulary, code);
  }

  /**
   * Returns the tokens of `code` at `position`: itself, and the forced ones at
   * the end of a row.
   */
  tokensOf(position: number, code: number): number[] {
    const token = this.tokenOf(code);
    const { size: { width }, layout } = this.#options;
    return (position + 1) % width === 0
      ? [token, ...forcedAfter(layout, Math.floor(position / width))]
      : [token];
  }

  /**
   * Returns the position of the best guess of a code: of a clip, in the frame
   * before, the same place or that from which a thing moves there; else the
   * code above, else the code before; undefined for the first.
   */
  guessOf(position: number): number | undefined {
    const { size: { width }, layout: { frameHeight } } = this.#options;
    const area = frameHeight * width;
    if (position >= area) {
      const frame = Math.floor(position / area);
      const place = position % area;
      return (frame - 1) * area + this.#placeBefore(frame, place);
    }
    const distance = [width, 1].find((distance) => position >= distance);
    return distance && position - distance;
  }

  /** Returns the tokens of decided positions, in order. */
  decidedTokens(from: number, to: number): number[] {
    const tokens: number[] = [];
    for (let position = from; position < to; position++) {
      tokens.push(...this.tokensOf(position, this.codeAt(position)));
    }
    return tokens;
  }

  /**
   * Decides a code, the first undecided one in its row.
   *
   * @param logits Guided logits of the position, `[V]`.
   */
  decide(position: number, code: number, logits: Float32Array): void {
    const { size: { width }, logprobs } = this.#options;
    this.#codes[position] = code;
    if (logprobs > 0) {
      this.#scores[position] = scoreToken(logits, code, logprobs);
    }
    this.#counts[Math.floor(position / width)]!++;
    this.#tellComplete();
  }

  /**
   * Decides the codes of the prefix and of the resume state; returns their
   * number.
   */
  #restore({ size, prefix, resumeState }: DrawnGridOptions): number {
    if (resumeState === undefined) return 0;
    const given = prefix?.codes.length ?? 0;
    this.#codes.set(resumeState.codes, given);
    for (const [i, score] of resumeState.scores.entries()) {
      this.#scores[given + i] = score;
    }
    for (let i = 0; i < resumeState.codes.length; i++) {
      this.#counts[Math.floor((given + i) / size.width)]!++;
    }
    return resumeState.codes.length;
  }

  /** Returns the place in the frame before `frame` to guess a code from. */
  #placeBefore(frame: number, place: number): number {
    const { size: { width }, layout: { frameHeight } } = this.#options;
    // Rows are reported in order: these frames are decided.
    const decided = Math.floor(this.#unreported / frameHeight);
    if (decided < 2) return place;
    if (this.#motion?.decided !== decided) {
      const area = frameHeight * width;
      const end = decided * area;
      const motion = clipMotion(
        this.#codes.subarray(end - 2 * area, end - area),
        this.#codes.subarray(end - area, end),
        width,
      );
      this.#motion = { decided, motion };
    }
    const { motion } = this.#motion;
    if (motion === undefined) return place;
    return movedFrom(motion, place, width, frame - decided + 1);
  }

  #tellComplete(): void {
    const { height, width } = this.#options.size;
    while (
      this.#unreported < height && this.#counts[this.#unreported] === width
    ) {
      this.#report(this.#unreported++);
    }
  }

  #report(index: number): void {
    const { width } = this.#options.size;
    const start = index * width;
    this.#onRow({
      index,
      codes: this.#codes.slice(start, start + width),
      scores: this.#scores.slice(start, start + width),
    });
  }
}
