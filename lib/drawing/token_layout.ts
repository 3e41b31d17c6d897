/**
 * The layout of drawn codes as tokens: the forced tokens after each row and
 * each frame.
 *
 * ```text
 * picture          c c EOL c c EOL                          EOF EOI EOS at the end
 * clip, paper      c c EOL c c EOL EOF │ c c EOL c c EOL    EOF EOI EOS
 * clip, frames     c c c c EOF         │ c c c c            EOF EOI EOS
 * … interleaved    c c c c EOF EOI BOI 1*2*2 IMG │ c c c c  EOF EOI EOS
 * ```
 *
 * A clip is a grid of all its frames, one below the other.
 *
 * Source: arXiv 2409.18869 §2.1; `Emu3PrefixConstrainedVideoLogitsHelper` and
 * `add_prefix_template` in reference/Emu3/emu3/mllm of baaivision/UniVLA.
 *
 * @module
 */

import type { CodeGrid, GridSize } from "../grid.ts";
import { tokenFromCode, type Vocabulary } from "../vocabulary.ts";

/** The forced tokens between the codes of a drawing. */
export interface TokenLayout {
  /** Number of rows of a frame. */
  readonly frameHeight: number;
  /** Tokens after each row. */
  readonly afterRow: readonly number[];
  /** Tokens after the last row of a frame, after those of the row. */
  readonly afterFrame: readonly number[];
  /** Number of tokens after the last code of all. */
  readonly endLength: number;
}

/** Returns the layout of a picture. */
export function pictureLayout(
  { height }: GridSize,
  { eol }: Pick<Vocabulary, "eol">,
): TokenLayout {
  return {
    frameHeight: height,
    afterRow: [eol],
    afterFrame: [],
    // EOL EOF EOI EOS
    endLength: 4,
  };
}

/** Returns the forced tokens after row `row`, the last one not considered. */
export function forcedAfter(
  { frameHeight, afterRow, afterFrame }: TokenLayout,
  row: number,
): readonly number[] {
  return (row + 1) % frameHeight === 0
    ? [...afterRow, ...afterFrame]
    : afterRow;
}

/**
 * Returns the number of tokens of the rows from `from` up to `to`, forced ones
 * after the last of them included.
 */
export function rowsLength(
  { frameHeight, afterRow, afterFrame }: TokenLayout,
  width: number,
  from: number,
  to: number,
): number {
  const frames = Math.floor(to / frameHeight) - Math.floor(from / frameHeight);
  return (to - from) * (width + afterRow.length) + frames * afterFrame.length;
}

/**
 * Returns the number of tokens of the rows from `from` up to `size.height`,
 * without those that are forced after the last code.
 */
export function drawnLength(
  layout: TokenLayout,
  { height, width }: GridSize,
  from: number,
): number {
  return rowsLength(layout, width, from, height) -
    forcedAfter(layout, height - 1).length;
}

/** Returns the rows of a grid from `from` as tokens, with the forced ones. */
export function rowsAsTokens(
  layout: TokenLayout,
  { height, width, codes }: CodeGrid,
  vocabulary: Vocabulary,
  from = 0,
): Int32Array<ArrayBuffer> {
  const tokens = new Int32Array(rowsLength(layout, width, from, height));
  let next = 0;
  for (let row = from; row < height; row++) {
    for (const code of codes.subarray(row * width, (row + 1) * width)) {
      tokens[next++] = tokenFromCode(vocabulary, code);
    }
    for (const token of forcedAfter(layout, row)) tokens[next++] = token;
  }
  return tokens;
}
