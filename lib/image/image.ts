/**
 * A picture as the vision side sees it: eight-bit RGB, nothing else.
 *
 * @module
 */

/** Height and width in pixels. */
export interface PixelSize {
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
}

/** Eight-bit RGB. */
export interface RgbImage extends PixelSize {
  /** `[height, width, 3]`, 0–255. */
  readonly pixels: Uint8ClampedArray;
}
