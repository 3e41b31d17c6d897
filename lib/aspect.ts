/**
 * The arithmetic from an aspect ratio and an area to a grid.
 *
 * Source: `calculate_generate_size` in emu3/mllm/processing_emu3.py of
 * baaivision/Emu3, Python's rounding included: 67.5 rows are 68, 66.5 are 66.
 *
 * @module
 */

import { GridError } from "./errors.ts";
import type { GridSize } from "./grid.ts";
import type { PixelSize } from "./image/image.ts";

/** A ratio of width to height. */
export interface Ratio {
  /** The width, above zero. */
  readonly width: number;
  /** The height, above zero. */
  readonly height: number;
}

/**
 * A pattern of whole numbers as Python's `int()` reads them, in any script's
 * digits.
 */
const INTEGER = /^\s*\+?(\p{Nd}+(?:_\p{Nd}+)*)\s*$/u;

/**
 * Parses `"W:H"` into a ratio.
 *
 * @throws {SyntaxError} If `text` is not a ratio. The reference accepts
 * negative numbers and returns a negative size; they are refused here.
 */
export function parseRatio(text: string): Ratio {
  const [width, height, ...rest] = text.split(":").map((part) => {
    const digits = INTEGER.exec(part)?.[1]?.replaceAll("_", "");
    return digits === undefined ? 0 : Number([...digits].map(digit).join(""));
  });
  if (!width || !height || rest.length > 0) {
    throw new SyntaxError(
      "expected a ratio of two whole numbers above 0, width to height, such as 16:9",
    );
  }
  return { width, height };
}

/**
 * Returns the grid of `ratio` whose picture has about `imageArea` pixels.
 *
 * @param pixelsPerCode Pixels along each side of one code.
 * @throws {GridError} If a side would have no code.
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
 * Returns the grid of a picture of `size` pixels.
 *
 * @throws {GridError} If a side is not a whole number of codes.
 */
export function gridSizeFromPixels(
  size: PixelSize,
  pixelsPerCode: number,
): GridSize {
  const height = size.height / pixelsPerCode;
  const width = size.width / pixelsPerCode;
  if (!Number.isInteger(height) || !Number.isInteger(width)) {
    throw new GridError(
      `${size.height} × ${size.width} pixels are not a whole number of codes; both sides must be multiples of ${pixelsPerCode}`,
    );
  }
  return checkedSize({ height, width });
}

function checkedSize(size: GridSize): GridSize {
  // A ratio of infinite numbers leaves NaN.
  if (size.height >= 1 && size.width >= 1) return size;
  throw new GridError(
    `${size.height} × ${size.width} codes are not an image; use a larger area or a less extreme ratio`,
  );
}

/**
 * Returns the value of a decimal digit: the digits of each script are
 * consecutive code points, from zero up.
 */
function digit(character: string): number {
  let value = 0;
  for (let code = character.codePointAt(0)!; isDigit(code - 1); code--) value++;
  return value % 10;
}

function isDigit(code: number): boolean {
  return /^\p{Nd}$/u.test(String.fromCodePoint(code));
}

/** Rounds as Python's `round()`: halves go to the even neighbor. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
