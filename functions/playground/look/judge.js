/**
 * The model's view of a picture that is there already, however it came about.
 *
 * @module
 */

// @ts-check

import { patiently } from "../api/patience.js";
import { post } from "../api/request.js";
import { wireGrid } from "../logic/drawn_rows.js";
import { firstCells, judgementsOf } from "../logic/judgements.js";

/**
 * @typedef {import("./coded.js").CodedPicture} CodedPicture
 * @typedef {import("../shell/shell.js").Judgements} Judgements
 */

/** Rivals of each code that are asked for. */
const RIVALS = 5;

/**
 * The judgements of each code of a picture, as if it were drawn.
 *
 * @param {CodedPicture} picture
 * @param {string} prompt What it is said to show.
 * @param {import("../shell/server_watch.js").Model | undefined} model
 * @param {import("../api/patience.js").Patience} patience
 * @returns {Promise<Judgements>}
 */
export async function judged(
  { grid, settings, wholeHeight },
  prompt,
  model,
  patience,
) {
  const scale = settings?.guidance_scale ?? model?.defaults?.guidance_scale;
  const body = {
    prompt,
    grid: wholeGrid(grid, wholeHeight ?? grid.height),
    logprobs: RIVALS,
    ...(scale !== undefined && { guidance_scale: scale }),
    ...(settings?.negative_prompt !== undefined && {
      negative_prompt: settings.negative_prompt,
    }),
  };
  const answer = await patiently(
    () => post("/v1/score", body, { signal: patience.signal }),
    patience,
  );
  const { logprobs } = await answer.json();
  return firstCells(judgementsOf(logprobs), grid.codes.length);
}

/**
 * A grid with all rows of its picture. Rows that were never drawn are filled
 * with any code: what comes below changes nothing of what is thought above.
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
 * A guess of what a file shows: the words of its name.
 *
 * @param {string} name
 */
export function wordsOf(name) {
  return name.replace(/\.[a-z0-9]{2,4}$/i, "")
    .replaceAll(/[^\p{L}]+/gu, " ").trim();
}
