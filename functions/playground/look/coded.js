/**
 * The pictures that have codes.
 *
 * @module
 */

// @ts-check

import { post } from "../api/request.js";
import { countText } from "../logic/quantities.js";
import { wordsOf } from "./score.js";

/**
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {Picture & { grid: NonNullable<Picture["grid"]> }} CodedPicture
 * @typedef {import("../logic/cells.js").Cell} Cell
 */

/**
 * Returns the picture with codes, which are computed if they are unknown.
 *
 * @param {Picture} picture
 * @returns {Promise<CodedPicture>}
 */
export async function withCodes(picture) {
  if (picture.grid !== undefined) return { ...picture, grid: picture.grid };
  const answer = await post("/v1/tokenize", picture.file, {
    type: picture.file.type,
  });
  const { grid, resized } = await answer.json();
  if (grid === undefined) {
    throw new Error("This is a clip: only still pictures are supported.");
  }
  const { height, width, codes } = grid;
  const { settings = { prompt: wordsOf(picture.title), ...resized } } = picture;
  const flat = Uint16Array.from(codes.flat());
  return { ...picture, settings, grid: { height, width, codes: flat } };
}

/** @param {Picture} picture */
export function basisOf({ title, settings }) {
  return settings ?? { prompt: wordsOf(title) };
}

/**
 * @param {Cell} cell
 * @param {{ height: number, width: number }} size
 */
export function clamped({ y, x }, { height, width }) {
  return { y: Math.min(y, height - 1), x: Math.min(x, width - 1) };
}

/**
 * @param {{ codes: Uint16Array }} a
 * @param {{ codes: Uint16Array }} b
 */
export function differenceText(a, b) {
  const differing = a.codes.filter((code, i) => code !== b.codes[i]).length;
  const all = countText(a.codes.length, "code");
  return `A and B differ in ${differing} of ${all}.`;
}
