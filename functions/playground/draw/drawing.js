/**
 * A drawing, from its request to its last event: waits for a server that is
 * full or starting, and resumes an interrupted drawing from the rows it has.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { outlasted } from "../api/retry_policy.js";
import { ProblemError, UnreachableError } from "../api/problem.js";
import { postForEvents } from "../api/events.js";
import { DrawnRows, resumedBody } from "../logic/drawn_rows.js";

/**
 * @typedef {import("../logic/drawn_rows.js").WireGrid} WireGrid
 * @typedef {import("../logic/drawn_rows.js").WireKeptGrid} WireKeptGrid
 * @typedef {import("../logic/drawn_rows.js").WireRow} WireRow
 * @typedef {import("../logic/picture_files.js").WireFile} WireFile
 * @typedef {import("../logic/drawn_rows.js").WireClip} WireClip
 * @typedef {import("../logic/settings.js").Settings & { prefix?: WireGrid, keep?: WireKeptGrid, clip?: WireClip, logprobs?: number, preview?: boolean }} Body
 *
 * @typedef {WireFile & { height: number, width: number, grid: { height: number, width: number, codes: number[][] } }} DrawnImage
 * @typedef {WireFile & { height: number, width: number, frames: number, fps: number, clip: WireClip }} DrawnClip
 * @typedef {{ model: string, seed: number, strategy: string, lossless: boolean, images: DrawnImage[], clips?: DrawnClip[], usage: { image_tokens: number, forwards: number }, timings: Record<string, number> }} Completed
 *
 * @typedef {object} Listener Callbacks of a drawing.
 * @property {(position: number) => void} queued Called with the position in the
 *   queue.
 * @property {(started: Started, rows: readonly DrawnRows[]) => void} started
 *   Called at the start, and again on resumption.
 * @property {(imageIndex: number, row: WireRow & { preview?: WireFile & { height: number } }, rows: DrawnRows) => void} row
 * @property {(imageIndex: number, frame: { frame: number, previews?: WireFile[] }, rows: DrawnRows) => void} [frame]
 *   Called when a frame of a clip is complete.
 */

/**
 * @typedef {{ seed: number, n: number, grid: { height: number, width: number }, frames?: number, fps?: number }} Started
 * Beginning of a drawing; of a clip if it has frames of codes.
 *
 * @typedef {object} Known State of a drawing so far.
 * @property {number | undefined} seed
 * @property {DrawnRows[]} rows Rows of each picture.
 * @property {import("../logic/clip_codes.js").ClipCodes} [context] Given first
 *   frames of a clip.
 */

/**
 * @param {Body} body
 * @param {import("../api/retry_policy.js").RetryPolicy} retryPolicy
 * @param {Listener} listener
 * @param {Known} known Overwritten as more arrives; if it has rows, the drawing
 *   resumes there.
 * @returns {Promise<{ completed: Completed, rows: readonly DrawnRows[] }>}
 */
export async function draw(
  body,
  retryPolicy,
  listener,
  known = { seed: body.seed, rows: [] },
) {
  let request = resumedBody(body, { seed: known.seed, rows: known.rows[0] });
  while (true) {
    try {
      const completed = await follow(
        request,
        retryPolicy.signal,
        known,
        listener,
      );
      return { completed, rows: known.rows };
    } catch (error) {
      if (!await outlasted(error, retryPolicy)) throw error;
      const state = error instanceof ProblemError ? error.state : undefined;
      const [rows] = known.rows;
      request = resumedBody(body, { seed: known.seed, rows, state });
    }
  }
}

/**
 * @param {Body} body
 * @param {AbortSignal} signal
 * @param {Known} known Overwritten as more arrives.
 * @param {Listener} listener
 * @returns {Promise<Completed>}
 */
async function follow(body, signal, known, listener) {
  /** @type {Completed | undefined} */
  let completed;
  for await (
    const { event, data } of postForEvents("/v1/generate", body, signal)
  ) {
    switch (event) {
      case "queued":
        listener.queued(data.position);
        break;
      case "started":
        known.seed = data.seed;
        known.rows = begun(data, body, known.rows);
        listener.started(data, known.rows);
        break;
      case "row": {
        const rows = known.rows[data.image_index];
        rows?.add(data);
        if (rows !== undefined) listener.row(data.image_index, data, rows);
        break;
      }
      case "frame": {
        const rows = known.rows[data.image_index];
        if (rows !== undefined) listener.frame?.(data.image_index, data, rows);
        break;
      }
      case "completed":
        // The stream is read to its end; otherwise the browser reports it as
        // aborted.
        completed = data;
        break;
    }
  }
  if (completed !== undefined) return completed;
  throw new UnreachableError(new Error("the stream ended early"));
}

/**
 * Returns the rows to fill. Logprobs of the given rows were sent when those
 * were drawn.
 *
 * @param {Started} started
 * @param {Body} body
 * @param {readonly DrawnRows[]} before
 */
function begun({ n, grid, frames = 1 }, body, before) {
  const { height, width } = grid;
  const clip = body.clip && { codes: body.clip.codes.flat() };
  return Array.from({ length: n }, (_, i) => {
    const rows = new DrawnRows(
      { height: frames * height, width },
      body.prefix ?? body.keep ?? clip,
      height,
    );
    const scores = (body.prefix ?? clip) && before[i]?.scores;
    if (scores !== undefined) rows.scores = scores;
    return rows;
  });
}
