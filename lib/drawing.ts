/**
 * How a picture is drawn, token by token.
 *
 * Codes are drawn; EOL is forced and fed together with the code before it,
 * since later codes attend to it. What follows the last code is never fed:
 * nothing attends to it.
 *
 * @module
 */

import type { Policy } from "./engine/sequence.ts";
import { type CodeGrid, type GridSize, slotAt } from "./grid.ts";
import { guide } from "./sampling/guidance.ts";
import { judge, type Judgement } from "./sampling/log_probabilities.ts";
import { type DrawKey, uniformAt } from "./sampling/random.ts";
import { sample, type SamplingOptions } from "./sampling/sampler.ts";
import { tokenFromCode, type Vocabulary } from "./vocabulary.ts";

/** How one picture is drawn. */
export interface DrawingOptions {
  /** In codes. */
  readonly size: GridSize;
  /** Rows that are given, fewer than `size` has. */
  readonly prefix: CodeGrid | undefined;
  /** Looked at when there is an unconditional row. */
  readonly guidanceScale: number;
  /** How codes are chosen. */
  readonly sampling: SamplingOptions;
  /** Which random numbers to use. */
  readonly key: DrawKey;
  /** How many of the strongest codes to note at each position; 0 for none. */
  readonly logprobs: number;
}

/** A row that is done. */
export interface DrawnRow {
  /** From the top. */
  readonly index: number;
  /** `[width]` */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** One a code, when asked for. */
  readonly judgements: readonly Judgement[];
}

/** Draws the codes of one picture. */
export class DrawingPolicy implements Policy {
  readonly head = "codes";
  readonly #vocabulary: Vocabulary;
  readonly #options: DrawingOptions;
  readonly #onRow: (row: DrawnRow) => void;
  readonly #codes: Uint16Array<ArrayBuffer>;
  #judgements: Judgement[] = [];
  /** Codes so far, the given ones included. */
  #count: number;

  /** Starts after the given rows; `onRow` hears of each row that is drawn. */
  constructor(
    vocabulary: Vocabulary,
    options: DrawingOptions,
    onRow: (row: DrawnRow) => void,
  ) {
    this.#vocabulary = vocabulary;
    this.#options = options;
    this.#onRow = onRow;
    const { size, prefix } = options;
    this.#codes = new Uint16Array(size.height * size.width);
    if (prefix !== undefined) this.#codes.set(prefix.codes);
    this.#count = prefix?.codes.length ?? 0;
  }

  /** Given and drawn codes. */
  get grid(): CodeGrid {
    return { ...this.#options.size, codes: this.#codes };
  }

  choose(
    [conditional, unconditional]: readonly Float32Array<ArrayBuffer>[],
  ): readonly number[] {
    const { size, guidanceScale, sampling, key, logprobs } = this.#options;
    const logits = conditional!;
    if (unconditional !== undefined) {
      guide(logits, unconditional, guidanceScale);
    }
    const position = this.#count++;
    const code = sample(logits, sampling, () => uniformAt(key, position));
    this.#codes[position] = code;
    if (logprobs > 0) this.#judgements.push(judge(logits, code, logprobs));
    const row = Math.floor(position / size.width);
    const column = position % size.width;
    const next = slotAt(row * (size.width + 1) + column + 1, size);
    if (next !== "eol") return [tokenFromCode(this.#vocabulary, code)];
    this.#finishRow(row);
    if (row === size.height - 1) return [];
    return [tokenFromCode(this.#vocabulary, code), this.#vocabulary.eol];
  }

  #finishRow(index: number): void {
    const { width } = this.#options.size;
    const codes = this.#codes.slice(index * width, (index + 1) * width);
    this.#onRow({ index, codes, judgements: this.#judgements });
    this.#judgements = [];
  }
}
