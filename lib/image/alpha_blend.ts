/**
 * The alpha blending of a frame over its canvas, as in three programs.
 *
 * The results differ where both are partly transparent, and by rounding. Colors
 * are not premultiplied by alpha.
 *
 * @module
 */

/**
 * A function that blends a row over another.
 *
 * @param under Pixels `[width, 4]`; overwritten.
 * @param row Pixels `[width, 4]`.
 */
export type AlphaBlend = (
  under: Uint8ClampedArray,
  row: Uint8ClampedArray,
) => void;

/** Blends a row over another by the formula of the APNG specification. */
export function blendExactly(
  under: Uint8ClampedArray,
  row: Uint8ClampedArray,
): void {
  for (let i = 0; i < row.length; i += 4) {
    const above = row[i + 3]! / 255;
    if (above === 0) continue;
    const below = under[i + 3]! / 255 * (1 - above);
    const alpha = above + below;
    for (let c = i; c < i + 3; c++) {
      under[c] = (row[c]! * above + under[c]! * below) / alpha;
    }
    under[i + 3] = alpha * 255;
  }
}

/**
 * Blends a row over another as Pillow pastes an APNG's frame: a mean of all
 * four channels, weighted by alpha.
 */
export function blendLikePillow(
  under: Uint8ClampedArray,
  row: Uint8ClampedArray,
): void {
  for (let i = 0; i < row.length; i += 4) {
    const alpha = row[i + 3]!;
    for (let c = i; c < i + 4; c++) {
      // Division by 255, rounded.
      const sum = under[c]! * (255 - alpha) + row[c]! * alpha + 128;
      under[c] = (sum + (sum >> 8)) >> 8;
    }
  }
}

/**
 * Blends a row over another in integers, as libwebp's animation decoder does.
 */
export function blendLikeLibwebp(
  under: Uint8ClampedArray,
  row: Uint8ClampedArray,
): void {
  for (let i = 0; i < row.length; i += 4) {
    const above = row[i + 3]!;
    if (above === 0) continue;
    if (above === 255) {
      under.set(row.subarray(i, i + 4), i);
      continue;
    }
    const below = (under[i + 3]! * (256 - above)) >> 8;
    const alpha = above + below;
    const scale = Math.floor(2 ** 24 / alpha);
    for (let c = i; c < i + 3; c++) {
      const sum = row[c]! * above + under[c]! * below;
      under[c] = Math.floor(sum * scale / 2 ** 24);
    }
    under[i + 3] = alpha;
  }
}
