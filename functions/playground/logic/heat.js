/**
 * The color map of numbers: brightness rises evenly from dark to light, so that
 * color-blind readers see the same order.
 *
 * @module
 */

// @ts-check

/** Red, green and blue at points of the map known as viridis. */
const STOPS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/**
 * @param {number} share Position from 0 to 1; others are clamped.
 * @returns {[red: number, green: number, blue: number]}
 */
export function heatColor(share) {
  const at = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const below = Math.min(Math.floor(at), STOPS.length - 2);
  const part = at - below;
  /** @param {number} channel */
  const mixed = (channel) =>
    Math.round(
      (STOPS[below]?.[channel] ?? 0) * (1 - part) +
        (STOPS[below + 1]?.[channel] ?? 0) * part,
    );
  return [mixed(0), mixed(1), mixed(2)];
}

/**
 * Renders values into RGBA, one pixel per cell. A cell without a value is
 * transparent.
 *
 * @param {ArrayLike<number>} values
 * @param {number} most Upper end of the scale.
 * @returns {Uint8ClampedArray<ArrayBuffer>}
 */
export function heatPixels(values, most) {
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (Number.isNaN(value)) continue;
    pixels.set([...heatColor(most > 0 ? value / most : 0), 255], i * 4);
  }
  return pixels;
}

/**
 * Returns the largest known value; 0 if there is none.
 *
 * @param {ArrayLike<number>} values
 */
export function largest(values) {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (value > most) most = value;
  }
  return most;
}
