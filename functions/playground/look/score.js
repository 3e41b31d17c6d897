/**
 * The scores of an existing picture: the model's logprobs of its codes.
 *
 * @module
 */

// @ts-check

import { withRetries } from "../api/retry_policy.js";
import { post } from "../api/request.js";
import { wireClip } from "../logic/clip_codes.js";
import { wireGrid } from "../logic/drawn_rows.js";
import { firstCells, scoresOf } from "../logic/scores.js";

/**
 * @typedef {import("./coded.js").CodedPicture} CodedPicture
 * @typedef {import("../shell/shell.js").Scores} Scores
 */

/** Alternatives per code that are requested. */
const RIVALS = 5;

/**
 * Scores each code of a picture, or of all frames of a clip, as if it were
 * drawn.
 *
 * @param {CodedPicture} picture
 * @param {string} prompt Description of the picture.
 * @param {import("../shell/server_watch.js").Model | undefined} model
 * @param {import("../api/retry_policy.js").RetryPolicy} retryPolicy
 * @returns {Promise<Scores>}
 */
export async function scorePicture(
  { grid, clip, settings, wholeHeight },
  prompt,
  model,
  retryPolicy,
) {
  const scale = settings?.guidance_scale ?? model?.defaults?.guidance_scale;
  const body = {
    prompt,
    ...(clip === undefined
      ? { grid: wholeGrid(grid, wholeHeight ?? grid.height) }
      : clipFields(clip)),
    logprobs: RIVALS,
    ...(scale !== undefined && { guidance_scale: scale }),
    ...(settings?.negative_prompt !== undefined && {
      negative_prompt: settings.negative_prompt,
    }),
    ...(settings?.adapter !== undefined && { adapter: settings.adapter }),
  };
  const answer = await withRetries(
    () => post("/v1/score", body, { signal: retryPolicy.signal }),
    retryPolicy,
  );
  const { logprobs } = await answer.json();
  return firstCells(scoresOf(logprobs), (clip ?? grid).codes.length);
}

/** @param {import("../logic/clip_codes.js").ClipCodes} clip */
function clipFields(clip) {
  const { fps, model } = clip;
  return {
    clip: wireClip(clip),
    ...(fps !== undefined && { fps }),
    ...(model !== undefined && { model }),
  };
}

/**
 * Completes a grid to all rows of its picture. Missing rows are filled with any
 * code, because they do not affect the scores above them.
 *
 * @param {CodedPicture["grid"]} grid
 * @param {number} height
 */
function wholeGrid({ width, codes }, height) {
  const whole = new Uint16Array(height * width);
  whole.set(codes);
  return wireGrid({ height, width, codes: whole }, height);
}

/**
 * Guesses a prompt from the words of a file name.
 *
 * @param {string} name
 */
export function wordsOf(name) {
  return name.replace(/\.[a-z0-9]{2,4}$/i, "")
    .replaceAll(/[^\p{L}]+/gu, " ").trim();
}
