/**
 * The values that several examples share.
 *
 * @module
 */

/** The example picture: a PNG of 32 × 32 pixels, a red dot on yellow. */
export const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAUElEQVR42mP49aGCpohh1IJRC+hjwR0NDVyIChbgMZ0YOxgoMZoYawbOApJMx2MHA7VMx2XHqAWjFoxaMGA5eVgUdvSoD+hUo422KkYtIIQAvSgXIyZcYAUAAAAASUVORK5CYII=";

/** The example grid: codes that any codebook has. */
export const GRID = { height: 2, width: 3, codes: [[1, 2, 3], [4, 5, 6]] };
