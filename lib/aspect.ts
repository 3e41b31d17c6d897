/**
 * From a ratio and an area to a grid.
 *
 * The arithmetic is that of `calculate_generate_size` in
 * emu3/mllm/processing_emu3.py of baaivision/Emu3, Python's rounding included:
 * 67.5 rows are 68, 66.5 are 66.
 *
 * @module
 */

import { GridError } from "./errors.ts";
import type { GridSize } from "./grid.ts";
import { roundHalfEven } from "./rounding.ts";
import type { PixelSize } from "./image/image.ts";

/** Width to height, as custom has it. */
export interface Ratio {
  /** Above zero. */
  readonly width: number;
  /** Above zero. */
  readonly height: number;
}

/** A whole number as Python's `int()` reads it, in any script's digits. */
const INTEGER = /^\s*\+?(\p{Nd}+(?:_\p{Nd}+)*)\s*$/u;

/**
 * The ratio that `"W:H"` spells.
 *
 * @throws {SyntaxError} When it spells none. The reference takes negative
 * numbers and answers with a negative size; they are refused here.
 */
export function parseRatio(text: string): Ratio {
  const [width, height, ...rest] = text.split(":").map((part) => {
    const digits = INTEGER.exec(part)?.[1]?.replaceAll("_", "");
    return digits === undefined ? 0 : Number([...digits].map(digit).join(""));
  });
  if (!width || !height || rest.length > 0) {
    throw new SyntaxError(
      "expected two whole numbers above zero, width to height, such as 16:9",
    );
  }
  return { width, height };
}

/**
 * The grid of `ratio` whose picture has about `imageArea` pixels.
 *
 * @param pixelsPerCode Pixels a side of one code.
 * @throws {GridError} When a side would have no code.
 */
export function gridSizeFromRatio(
  ratio: Ratio,
  imageArea: number,
  pixelsPerCode: number,
): GridSize {
  const scale = Math.sqrt(imageArea / (ratio.width * ratio.height));
  const side = (part: number) => roundHalfEven((part * scale) / pixelsPerCode);
  return checkedSize({ height: side(ratio.height), width: side(ratio.width) });
}

/**
 * The grid of a picture of `size` pixels.
 *
 * @throws {GridError} When a side is not whole in codes.
 */
export function gridSizeFromPixels(
  size: PixelSize,
  pixelsPerCode: number,
): GridSize {
  const height = size.height / pixelsPerCode;
  const width = size.width / pixelsPerCode;
  if (!Number.isInteger(height) || !Number.isInteger(width)) {
    throw new GridError(
      `${size.height} × ${size.width} pixels are not multiples of ${pixelsPerCode}`,
    );
  }
  return checkedSize({ height, width });
}

function checkedSize(size: GridSize): GridSize {
  // A ratio of numbers beyond all measure leaves NaN.
  if (size.height >= 1 && size.width >= 1) return size;
  throw new GridError(
    `${size.height} × ${size.width} codes are none, ask for a larger area or sides that differ less`,
  );
}

/** Value of a decimal digit: scripts have theirs in runs of ten, from zero on. */
function digit(character: string): number {
  let value = 0;
  for (let code = character.codePointAt(0)!; isDigit(code - 1); code--) value++;
  return value % 10;
}

function isDigit(code: number): boolean {
  return /^\p{Nd}$/u.test(String.fromCodePoint(code));
}
