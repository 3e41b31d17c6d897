/**
 * The difference of two pictures, as numbers and as a picture.
 *
 * @module
 */

// @ts-check

/** Maximum of a channel. */
const PEAK = 255;

/**
 * @typedef {object} Difference
 * @property {number} psnr PSNR in dB; infinite for equal pictures.
 * @property {number} worst Largest difference of a channel, 0 to 255.
 * @property {Uint8ClampedArray<ArrayBuffer>} pixels RGBA, each channel's
 *   difference multiplied by `gain`.
 */

/**
 * Compares pictures of one size. Transparency is ignored.
 *
 * @param {Uint8ClampedArray} a RGBA.
 * @param {Uint8ClampedArray} b RGBA.
 * @param {number} gain
 * @returns {Difference}
 */
export function difference(a, b, gain) {
  if (a.length !== b.length) {
    throw new RangeError("Cannot compare pictures: their sizes differ");
  }
  const pixels = new Uint8ClampedArray(a.length);
  let squares = 0;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (i % 4 === 3) {
      pixels[i] = PEAK;
      continue;
    }
    const distance = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    squares += distance * distance;
    worst = Math.max(worst, distance);
    pixels[i] = distance * gain;
  }
  const mean = squares / (a.length * 3 / 4);
  const psnr = 10 * Math.log10(PEAK * PEAK / mean);
  return { psnr, worst, pixels };
}

/**
 * @param {number} psnr
 * @returns {string} Text for display.
 */
export function describePsnr(psnr) {
  return psnr === Infinity ? "no difference" : `PSNR ${psnr.toFixed(1)} dB`;
}
