/**
 * The tokenize and detokenize calls of the API.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { post } from "../api/request.js";
import { rowsOf } from "./grid_edit.js";

/** @typedef {import("./grid_edit.js").Grid} Grid */

/**
 * @param {Grid} grid
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>} PNG file.
 */
export async function pictureOf(grid, signal) {
  const body = { grid: { codes: rowsOf(grid) } };
  const answer = await post("/v1/detokenize", body, {
    accept: "image/png",
    signal,
  });
  return await answer.blob();
}

/**
 * @param {number[]} tokens
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export async function textOf(tokens, signal) {
  if (tokens.length === 0) return "";
  const answer = await post("/v1/detokenize", { tokens }, { signal });
  return (await answer.json()).text;
}

/**
 * @param {string} text
 * @param {AbortSignal} signal
 * @returns {Promise<number[]>}
 */
export async function tokensOf(text, signal) {
  if (text === "") return [];
  const answer = await post("/v1/tokenize", { text }, { signal });
  return (await answer.json()).tokens;
}

/**
 * @typedef {{ frames: number, height: number, width: number, codes: number[][][] }} Clip
 */

/**
 * Encodes an animation, or pictures as its frames.
 *
 * @param {readonly File[]} files
 * @param {AbortSignal} signal
 * @returns {Promise<Clip | undefined>} Undefined for a still picture.
 */
export async function clipOf(files, signal) {
  const [first] = files;
  const form = new FormData();
  form.set("pad", "repeat");
  if (files.length === 1 && first !== undefined) form.set("image", first);
  else for (const file of files) form.append("frames", file);
  const answer = await post("/v1/tokenize", form, { signal });
  return (await answer.json()).clip;
}

/**
 * @param {Clip} clip
 * @param {AbortSignal} signal
 * @returns {Promise<string[]>} Frames, as data URLs.
 */
export async function framesOf({ codes }, signal) {
  const answer = await post("/v1/detokenize", { clip: { codes } }, { signal });
  /** @type {{ frames: { b64_json: string, mime_type: string }[] }} */
  const { frames } = await answer.json();
  return frames.map(({ b64_json: base64, mime_type: type }) =>
    `data:${type};base64,${base64}`
  );
}

/**
 * @param {Clip} clip
 * @param {"image/apng" | "image/gif"} type
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
export async function animationOf({ codes }, type, signal) {
  const body = { clip: { codes } };
  const answer = await post("/v1/detokenize", body, { accept: type, signal });
  return await answer.blob();
}
