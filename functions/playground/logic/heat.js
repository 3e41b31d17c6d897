/**
 * Numbers as colours, evenly bright from dark to light, so that who tells few
 * colours apart sees the same order.
 *
 * @module
 */

// @ts-check

/** Along the way, red, green and blue: points of the map known as viridis. */
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
 * @param {number} share From 0 to 1; what lies beyond is at the end.
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
 * Pixels of a map, one a cell: red, green, blue, opacity. A cell of which
 * nothing is known is clear.
 *
 * @param {ArrayLike<number>} values
 * @param {number} most Where the scale ends.
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
 * The largest that is known; 0 where nothing is.
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
