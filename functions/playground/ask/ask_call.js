/**
 * Questions, as the API takes them.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { postForEvents } from "../api/events.js";
import { post } from "../api/request.js";
import { gridOf, rowsOf } from "../lab/grid_edit.js";
import { countText, secondsText } from "../logic/quantities.js";

/**
 * @typedef {import("./asked_pictures.js").AskedPicture} AskedPicture
 * @typedef {import("../lab/grid_edit.js").Grid} Grid
 *
 * @typedef {{ question: string, temperature: number, maxTokens: number }} Question
 */

/**
 * The codes of a file.
 *
 * @param {Blob} file
 * @param {AbortSignal} signal
 * @returns {Promise<Grid>}
 */
export async function codesOf(file, signal) {
  // What it is the server tells by its bytes, and says so in words.
  const type = file.type.startsWith("image/") ? file.type : "image/png";
  const answer = await post("/v1/tokenize", file, { signal, type });
  const { grid, clip } = await answer.json();
  // Of an animation, what a person sees first.
  return gridOf(grid ?? { codes: clip.codes[0] });
}

/**
 * What is sent: codes where all are known, files elsewhere.
 *
 * @param {readonly AskedPicture[]} pictures
 * @param {Question} question
 * @returns {FormData | Record<string, unknown>}
 */
export function questionBody(pictures, { question, temperature, maxTokens }) {
  const grids = pictures.flatMap(({ grid }) =>
    grid === undefined ? [] : [{ codes: rowsOf(grid) }]
  );
  if (grids.length === pictures.length) {
    return { grids, question, temperature, max_tokens: maxTokens };
  }
  const form = new FormData();
  for (const { file } of pictures) form.append("image", file);
  form.set("question", question);
  form.set("temperature", String(temperature));
  form.set("max_tokens", String(maxTokens));
  return form;
}

/**
 * Asks, and tells the answer as it comes.
 *
 * @param {readonly AskedPicture[]} pictures
 * @param {Question} question
 * @param {{ onText: (text: string) => void, onQueued: (ahead: number) => void, signal: AbortSignal }} options
 * @returns {Promise<{ text: string, facts: string }>}
 */
export async function answerTo(pictures, question, options) {
  const { onText, onQueued, signal } = options;
  const body = questionBody(pictures, question);
  let text = "";
  let facts = "";
  for await (
    const { event, data } of postForEvents("/v1/caption", body, signal)
  ) {
    if (event === "queued") onQueued(data.position);
    if (event === "delta") onText(text += data.text);
    if (event === "completed") facts = factsOf(data);
  }
  return { text, facts };
}

/**
 * @param {{ usage: { completion_tokens: number, prompt_tokens: number }, timings: { prefill_s: number, decode_s: number }, finish_reason: string }} completed
 */
function factsOf({ usage, timings, finish_reason: reason }) {
  const seconds = timings.prefill_s + timings.decode_s;
  const facts = [
    `${countText(usage.completion_tokens, "token")} generated`,
    `${usage.prompt_tokens} in prompt`,
    secondsText(seconds),
  ];
  if (reason === "length") facts.push("cut off");
  return facts.join(" · ");
}
