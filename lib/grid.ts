/**
 * The layout of a picture's codes as tokens.
 *
 * A grid of `height` × `width` codes is written row by row. EOL ends every row,
 * EOF the frame, EOI the picture:
 *
 * ```text
 * c c c … c EOL ┐
 * c c c … c EOL ├ height rows of width + 1 tokens
 * c c c … c EOL ┘
 * EOF EOI EOS
 * ```
 *
 * Three functions implement this layout: {@linkcode slotAt} returns the kind of
 * token at a position, {@linkcode gridTokens} writes a prompt, {@linkcode
 * parseGrid} reads tokens.
 *
 * @module
 */

import { GridError } from "./errors.ts";
import type { PixelSize } from "./image/image.ts";
import { codeFromToken, isCode, type Vocabulary } from "./vocabulary.ts";

/** A height and a width in codes. */
export interface GridSize {
  /** Number of rows. */
  readonly height: number;
  /** Number of codes in a row. */
  readonly width: number;
}

/** Returns the size of a grid in pixels. */
export function pixelSize(
  { height, width }: GridSize,
  { pixelsPerCode }: { readonly pixelsPerCode: number },
): PixelSize {
  return { height: height * pixelsPerCode, width: width * pixelsPerCode };
}

/** The codes of a picture. */
export interface CodeGrid extends GridSize {
  /** Codes, `[height × width]`, each in `[0, codebookSize)`. */
  readonly codes: Uint16Array<ArrayBuffer>;
}

/**
 * The codes of a clip; a frame of codes represents several frames of pixels, or
 * is a still.
 */
export interface CodeClip extends GridSize {
  /**
   * Frames of pixels that a frame of codes represents: 1 for stills. By default
   * as the vision tokenizer encodes clips.
   */
  readonly framesPerCode?: number | undefined;
  /** Number of frames of codes. */
  readonly frames: number;
  /** Codes, `[frames × height × width]`. */
  readonly codes: Uint16Array<ArrayBuffer>;
}

/** The kind of token at a position of the layout. */
export type Slot = "code" | "eol" | "eof" | "eoi" | "eos";

/** Returns the number of tokens from the first code through EOI. */
export function gridLength({ height, width }: GridSize): number {
  return height * (width + 1) + 2;
}

/** Returns the kind of the token at `offset` after IMG. */
export function slotAt(offset: number, { height, width }: GridSize): Slot {
  const stride = width + 1;
  if (offset < height * stride) {
    return offset % stride === width ? "eol" : "code";
  }
  // Counted from the end of the rows, not modulo the stride: the reference
  // tests the modulus first, and so expects EOL in place of EOI or EOS if a row
  // is one or two codes wide.
  const trailer: Slot[] = ["eof", "eoi"];
  return trailer[offset - height * stride] ?? "eos";
}

/** Returns `grid` as tokens, from the first code through EOI. */
export function gridTokens(
  grid: CodeGrid,
  vocabulary: Vocabulary,
): Int32Array<ArrayBuffer> {
  let next = 0;
  return Int32Array.from({ length: gridLength(grid) }, (_, offset) => {
    const slot = slotAt(offset, grid);
    return slot === "code"
      ? vocabulary.firstCode + grid.codes[next++]!
      : vocabulary[slot];
  });
}

/** Returns a copy of the first `rows` rows of a grid. */
export function firstRows({ width, codes }: CodeGrid, rows: number): CodeGrid {
  const first = new Uint16Array(codes.subarray(0, rows * width));
  return { height: rows, width, codes: first };
}

/**
 * Parses the tokens that {@linkcode gridTokens} returns.
 *
 * @throws {GridError} If a token is not the expected one; the message names the
 * first.
 */
export function parseGrid(
  tokens: Int32Array,
  size: GridSize,
  vocabulary: Vocabulary,
): CodeGrid {
  const codes = new Uint16Array(size.height * size.width);
  let next = 0;
  for (let offset = 0; offset < gridLength(size); offset++) {
    const slot = slotAt(offset, size);
    const token = tokens[offset];
    if (token === undefined) {
      throw new GridError(`it ends before token ${offset}, expected ${slot}`);
    }
    const fits = slot === "code"
      ? isCode(vocabulary, token)
      : token === vocabulary[slot];
    if (!fits) {
      throw new GridError(`token ${offset} is ${token}, expected ${slot}`);
    }
    if (slot === "code") codes[next++] = codeFromToken(vocabulary, token);
  }
  return { ...size, codes };
}

/**
 * Returns a grid from rows of numbers, as in a request.
 *
 * @throws {GridError} If there are no rows, their lengths differ, or a number
 * is not a code.
 */
export function gridFromRows(
  rows: readonly (readonly number[])[],
  codebookSize: number,
): CodeGrid {
  const height = rows.length;
  const width = rows[0]?.length ?? 0;
  if (height === 0 || width === 0) {
    throw new GridError("it has no codes; send at least one");
  }
  const codes = new Uint16Array(height * width);
  for (const [y, row] of rows.entries()) {
    if (row.length !== width) {
      throw new GridError(
        `row ${y} has ${row.length} codes, but the first has ${width}; all rows must have the same length`,
      );
    }
    codes.set(row, y * width);
  }
  assertCodes(rows.flat(), codebookSize);
  return { height, width, codes };
}

/** Returns the rows of a grid, or of one frame of a clip. */
export function rowsFromGrid(grid: CodeGrid): number[][] {
  return Array.from(
    { length: grid.height },
    (_, y) => [...grid.codes.subarray(y * grid.width, (y + 1) * grid.width)],
  );
}

/** Returns one frame of a clip. */
export function clipFrame(clip: CodeClip, frame: number): CodeGrid {
  const { height, width, codes } = clip;
  const area = height * width;
  return {
    height,
    width,
    codes: codes.slice(frame * area, (frame + 1) * area),
  };
}

/**
 * Asserts that all codes are in the codebook.
 *
 * @throws {GridError} If one of `codes` is not in `[0, codebookSize)`.
 */
export function assertCodes(
  codes: ArrayLike<number>,
  codebookSize: number,
): void {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (!Number.isInteger(code) || code < 0 || code >= codebookSize) {
      throw new GridError(
        `code ${code} at position ${i} is not in 0…${codebookSize - 1}`,
      );
    }
  }
}
