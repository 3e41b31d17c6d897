/**
 * The picture type of the vision side: eight-bit RGB, nothing else.
 *
 * @module
 */

/** A height and a width in pixels. */
export interface PixelSize {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
}

/** An eight-bit RGB picture. */
export interface RgbImage extends PixelSize {
  /** Samples `[height, width, 3]`, 0–255. */
  readonly pixels: Uint8ClampedArray;
}
