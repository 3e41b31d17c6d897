/**
 * The calls of the API that encode and decode clips.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { post } from "../api/request.js";
import { clipCodes, wireClip } from "../logic/clip_codes.js";
import { blobOf } from "../logic/picture_files.js";

/**
 * @typedef {import("../logic/clip_codes.js").ClipCodes} ClipCodes
 *
 * @typedef {object} CallOptions
 * @property {string | undefined} model Model whose vision tokenizer is used;
 *   undefined for the default.
 * @property {AbortSignal} signal
 */

/**
 * Decodes a clip into a file.
 *
 * @param {ClipCodes} clip
 * @param {string} type Media type of the file.
 * @param {CallOptions} options
 * @returns {Promise<Blob>}
 */
export async function clipFile(clip, type, { model, signal }) {
  const body = {
    clip: wireClip(clip),
    ...(clip.fps !== undefined && { fps: clip.fps }),
    ...(model !== undefined && { model }),
  };
  const answer = await post("/v1/detokenize", body, { accept: type, signal });
  return await answer.blob();
}

/**
 * Decodes a clip into its frames.
 *
 * @param {ClipCodes} clip
 * @param {CallOptions} options
 * @returns {Promise<Blob[]>}
 */
export async function clipFrames(clip, { model, signal }) {
  const body = { clip: wireClip(clip), ...(model !== undefined && { model }) };
  const answer = await post("/v1/detokenize", body, { signal });
  /** @type {{ frames: import("../logic/picture_files.js").WireFile[] }} */
  const { frames } = await answer.json();
  return frames.map(blobOf);
}

/**
 * Encodes frames of one size, in whole codes.
 *
 * @param {readonly Blob[]} frames
 * @param {number} framesPerCode Frames of pixels per frame of codes.
 * @param {CallOptions} options
 * @returns {Promise<ClipCodes>}
 */
export async function encodeFrames(frames, framesPerCode, { model, signal }) {
  const form = new FormData();
  // Their size is that of the model's clips, below that of other pictures.
  form.set("resize", "none");
  if (framesPerCode === 1) form.set("frames_per_code", "1");
  else form.set("pad", "repeat");
  if (model !== undefined) form.set("model", model);
  for (const frame of frames) form.append("frames", frame);
  const answer = await post("/v1/tokenize", form, { signal });
  return clipCodes((await answer.json()).clip, framesPerCode);
}
