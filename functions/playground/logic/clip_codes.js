/**
 * The codes of a clip, as the page keeps them and as the API writes them.
 *
 * @module
 */

// @ts-check

/** Pixels per side of a code. */
export const CODE_SIDE = 8;

/**
 * @typedef {object} ClipCodes
 * @property {number} frames Frames of codes.
 * @property {number} height Rows of one frame.
 * @property {number} width
 * @property {Uint16Array} codes Codes, `[frames, height, width]`.
 * @property {number} framesPerCode Frames of pixels per frame of codes; each
 *   frame of codes is a still if it is 1.
 * @property {number} [fps] Frames of pixels per second.
 * @property {string} [model] Model whose vision tokenizer has the codes;
 *   undefined for the default.
 *
 * @typedef {{ frames?: number, height?: number, width?: number, frames_per_code?: number, codes: number[][][] }} WireClip
 *
 * @typedef {object} ClipForm The clips of a model, as listed by `/v1/models`.
 * @property {"paper" | "frames"} format
 * @property {number} frames Default length, in frames of pixels.
 * @property {number | null} max_frames Greatest length; null if the context
 *   alone limits it.
 * @property {number} fps
 */

/** Frames of pixels per frame of codes of Emu3's vision tokenizer. */
const FRAMES_PER_CODE = 4;

/**
 * Returns the frames of pixels per frame of codes of a model's clips.
 *
 * @param {ClipForm | undefined} form
 */
export function framesPerCode(form) {
  return form?.format === "paper" ? FRAMES_PER_CODE : 1;
}

/**
 * Converts the first frames into the API's format.
 *
 * @param {ClipCodes} clip
 * @returns {WireClip}
 */
export function wireClip({ frames, height, width, codes, framesPerCode }) {
  return {
    frames,
    height,
    width,
    // Absent, a frame of codes is what the vision tokenizer makes of a clip.
    ...(framesPerCode === 1 && { frames_per_code: 1 }),
    codes: Array.from(
      { length: frames },
      (_, t) =>
        Array.from({ length: height }, (_, y) => {
          const start = (t * height + y) * width;
          return [...codes.subarray(start, start + width)];
        }),
    ),
  };
}

/**
 * @param {WireClip} clip
 * @param {number} framesPerCode Frames of pixels per frame of codes if the clip
 *   does not say.
 * @returns {ClipCodes}
 */
export function clipCodes({ frames_per_code: each, codes }, framesPerCode) {
  return {
    frames: codes.length,
    height: codes[0]?.length ?? 0,
    width: codes[0]?.[0]?.length ?? 0,
    codes: Uint16Array.from(codes.flat(2)),
    framesPerCode: each ?? framesPerCode,
  };
}

/**
 * Returns some frames of a clip.
 *
 * @param {ClipCodes} clip
 * @param {number} first Index of the first frame of codes.
 * @param {number} count Frames of codes.
 * @returns {ClipCodes}
 */
export function cutClip(clip, first, count) {
  const cells = clip.height * clip.width;
  const codes = clip.codes.slice(first * cells, (first + count) * cells);
  return { ...clip, frames: codes.length / cells, codes };
}

/**
 * Returns the size of a clip's frames: that of the source's ratio and the
 * model's area, in whole codes.
 *
 * @param {{ height: number, width: number }} source
 * @param {{ area: number, side: number }} target Area in pixels, and pixels
 *   per side of a code.
 */
export function frameSize({ height, width }, { area, side }) {
  const scale = Math.sqrt(area / (height * width));
  /** @param {number} length */
  const whole = (length) =>
    Math.max(1, Math.round(length * scale / side)) * side;
  return { height: whole(height), width: whole(width) };
}
