/**
 * The caption call: questions about pictures over the API.
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
 * @typedef {import("./question_pictures.js").QuestionPicture} QuestionPicture
 * @typedef {import("../lab/grid_edit.js").Grid} Grid
 *
 * @typedef {{ question: string, temperature: number, maxTokens: number, adapter?: string | undefined }} Question
 */

/**
 * Encodes a file into codes.
 *
 * @param {Blob} file
 * @param {AbortSignal} signal
 * @returns {Promise<Grid>}
 */
export async function codesOf(file, signal) {
  // The server detects the format from the bytes; the header only has to name
  // an image type.
  const type = file.type.startsWith("image/") ? file.type : "image/png";
  const answer = await post("/v1/tokenize", file, { signal, type });
  const { grid, clip } = await answer.json();
  // An animation is represented by its first frame.
  return gridOf(grid ?? { codes: clip.codes[0] });
}

/**
 * Builds the request body: codes if all pictures have them, files otherwise.
 *
 * @param {readonly QuestionPicture[]} pictures
 * @param {Question} asked
 * @returns {FormData | Record<string, unknown>}
 */
export function questionBody(pictures, asked) {
  const { question, temperature, maxTokens, adapter } = asked;
  const grids = pictures.flatMap(({ grid }) =>
    grid === undefined ? [] : [{ codes: rowsOf(grid) }]
  );
  if (grids.length === pictures.length) {
    return {
      grids,
      question,
      temperature,
      max_tokens: maxTokens,
      ...(adapter !== undefined && { adapter }),
    };
  }
  const form = new FormData();
  for (const { file } of pictures) form.append("image", file);
  form.set("question", question);
  form.set("temperature", String(temperature));
  form.set("max_tokens", String(maxTokens));
  if (adapter !== undefined) form.set("adapter", adapter);
  return form;
}

/**
 * Asks a question and streams its answer.
 *
 * @param {readonly QuestionPicture[]} pictures
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
  if (reason === "length") facts.push("truncated");
  return facts.join(" · ");
}
