/**
 * A picture that is being drawn: its codes so far, where their tokens stand,
 * and who is told when a row is done.
 *
 * ```text
 * position   0 1 2 │ 3 4 5 │ …         of a code, given rows included
 * place      0 1 2 3 4 5 6 7 …         of a token, from the end of the prompt
 *            c c c e c c c e           c code, e EOL
 * ```
 *
 * The prompt ends with the given rows, so places count from the first row that
 * is drawn; what goes on half-way has rows that were drawn in its prompt too.
 *
 * @module
 */

import type { CodeGrid, GridSize } from "../grid.ts";
import { judge, type TokenScore } from "../sampling/log_probabilities.ts";
import type { ResumeState } from "./resume_state.ts";
import type { KeptCodes } from "./kept_codes.ts";
import { tokenFromCode, type Vocabulary } from "../vocabulary.ts";

/** A row that is done. */
export interface DrawnRow {
  /** From the top. */
  readonly index: number;
  /** `[width]` */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** One a code, when asked for. */
  readonly judgements: readonly TokenScore[];
}

/** What is drawn. */
export interface DrawnGridOptions {
  /** In codes. */
  readonly size: GridSize;
  /** Rows that are given, fewer than `size` has. */
  readonly prefix: CodeGrid | undefined;
  /** Codes of `size` that stay; none when left out. */
  readonly keep?: KeptCodes | undefined;
  /** How many of the strongest codes to note at each position; 0 for none. */
  readonly logprobs: number;
  /** What was decided already; undefined for nothing. */
  readonly halfway: ResumeState | undefined;
}

/**
 * Rows that the prompt ends with: those that are given, and those decided above
 * the newest code, which is fed again so that it is judged.
 */
export function promptRows(
  { size, prefix, halfway }: Pick<
    DrawnGridOptions,
    "size" | "prefix" | "halfway"
  >,
): number {
  const decided = halfway?.codes.length ?? 0;
  const above = decided === 0 ? 0 : Math.floor((decided - 1) / size.width);
  return (prefix?.height ?? 0) + above;
}

/** The codes of a picture, as far as they are decided. */
export class DrawnGrid {
  readonly #vocabulary: Vocabulary;
  readonly #options: DrawnGridOptions;
  readonly #onRow: (row: DrawnRow) => void;
  readonly #codes: Uint16Array<ArrayBuffer>;
  readonly #judgements: TokenScore[];
  /** Codes decided, by row. */
  readonly #counts: Int32Array;
  /** The first row that nobody was told of. */
  #untold: number;
  /** The first position that is drawn, or drawn again. */
  readonly start: number;
  /** The first position that was not decided at the start. */
  readonly reached: number;

  /** Starts after the given rows; `onRow` hears of the others, from the top. */
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
    this.#judgements = [];
    this.#untold = prefix?.height ?? 0;
    this.#counts = new Int32Array(height);
    this.#counts.fill(width, 0, this.#untold);
    this.start = promptRows(options) * width;
    this.reached = this.#untold * width + this.#restore(options);
  }

  /** Given and decided codes. */
  get grid(): CodeGrid {
    return { ...this.#options.size, codes: this.#codes };
  }

  /**
   * What was decided behind the given rows.
   *
   * @param position The first that is not decided.
   */
  resumeStateAt(position: number): Pick<ResumeState, "codes" | "judgements"> {
    const given = this.#options.prefix?.codes.length ?? 0;
    return {
      codes: this.#codes.slice(given, position),
      judgements: this.#judgements.slice(given, position),
    };
  }

  /** Tells of rows that were decided at the start. */
  tellRestored(): void {
    this.#tellComplete();
  }

  /** The position after the last. */
  get end(): number {
    return this.#codes.length;
  }

  /** The token that ends a row. */
  get eol(): number {
    return this.#vocabulary.eol;
  }

  /** The code at a decided position. */
  codeAt(position: number): number {
    return this.#codes[position]!;
  }

  /** Codes decided in a row, which are its first. */
  countIn(row: number): number {
    return this.#counts[row]!;
  }

  /** The code that stays at a position; undefined for one that is drawn. */
  keptAt(position: number): number | undefined {
    const { keep } = this.#options;
    return keep?.kept[position] === 1 ? keep.codes[position] : undefined;
  }

  /**
   * Decides the codes that stay from `position` on, without logits: a row of
   * them at most, so that a draft stays short, or all where none is drawn after
   * them. Where each code is judged, none.
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

  /** Where the token of a position stands, from the end of the prompt. */
  placeOf(position: number): number {
    const { width } = this.#options.size;
    const drawn = position - this.start;
    // An EOL for each row above.
    return drawn + Math.floor(drawn / width);
  }

  /** The token of a code. */
  tokenOf(code: number): number {
    return tokenFromCode(this.#vocabulary, code);
  }

  /** The tokens of `code` at `position`: itself, and EOL where a row ends. */
  tokensOf(position: number, code: number): number[] {
    const token = this.tokenOf(code);
    const { width } = this.#options.size;
    return (position + 1) % width === 0 ? [token, this.eol] : [token];
  }

  /** The tokens of decided positions, as they follow each other. */
  decidedTokens(from: number, to: number): number[] {
    const tokens: number[] = [];
    for (let position = from; position < to; position++) {
      tokens.push(...this.tokensOf(position, this.codeAt(position)));
    }
    return tokens;
  }

  /**
   * Decides a code, the first in its row that is not.
   *
   * @param logits What the model made of it, guided, `[V]`.
   */
  decide(position: number, code: number, logits: Float32Array): void {
    const { size: { width }, logprobs } = this.#options;
    this.#codes[position] = code;
    if (logprobs > 0) {
      this.#judgements[position] = judge(logits, code, logprobs);
    }
    this.#counts[Math.floor(position / width)]!++;
    this.#tellComplete();
  }

  /** @returns How many codes were decided. */
  #restore({ size, prefix, halfway }: DrawnGridOptions): number {
    if (halfway === undefined) return 0;
    const given = prefix?.codes.length ?? 0;
    this.#codes.set(halfway.codes, given);
    for (const [i, judgement] of halfway.judgements.entries()) {
      this.#judgements[given + i] = judgement;
    }
    for (let i = 0; i < halfway.codes.length; i++) {
      this.#counts[Math.floor((given + i) / size.width)]!++;
    }
    return halfway.codes.length;
  }

  #tellComplete(): void {
    const { height, width } = this.#options.size;
    while (this.#untold < height && this.#counts[this.#untold] === width) {
      this.#tell(this.#untold++);
    }
  }

  #tell(index: number): void {
    const { width } = this.#options.size;
    const start = index * width;
    this.#onRow({
      index,
      codes: this.#codes.slice(start, start + width),
      judgements: this.#judgements.slice(start, start + width),
    });
  }
}
