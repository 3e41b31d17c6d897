/**
 * The drawing of settings into pictures, with progress on a stage.
 *
 * @module
 */

// @ts-check
/// <reference lib="dom" />

import { post } from "../api/request.js";
import { linkFromParams } from "../logic/link.js";
import { blobOf, pictureId } from "../logic/picture_files.js";
import { wireGrid } from "../logic/drawn_rows.js";
import { firstCells } from "../logic/scores.js";
import { secondsText } from "../logic/quantities.js";
import { draw } from "./drawing.js";
import { comeDecoded, Previews } from "./previews.js";
import { HistoryStore } from "./history_store.js";

/**
 * @typedef {import("../shell/shell.js").Picture} Picture
 * @typedef {import("../logic/settings.js").Settings} Settings
 *
 * @typedef {object} Studio Collaborators of a drawing.
 * @property {import("./stage.js").Stage} stage
 * @property {import("../api/retry_policy.js").RetryPolicy} retryPolicy
 * @property {import("../shell/server_watch.js").Model | undefined} model
 * @property {() => void} [onRow] Called after each row.
 * @property {import("./drawing.js").Known} [known] Rows to resume from;
 *   overwritten as more arrive.
 */

/** Alternatives per code that a drawing requests. */
export const RIVALS = 5;

/**
 * @param {Settings} settings
 * @param {Studio} studio
 * @returns {Promise<{ pictures: Picture[], facts: string }>}
 */
export async function drawPictures(
  settings,
  { stage, retryPolicy, model, onRow, known: before },
) {
  const begun = performance.now();
  const decoded = comeDecoded(model?.image_area);
  const previews = new Previews(retryPolicy.signal);
  const { completed, rows } = await draw(
    {
      ...settings,
      preview: decoded,
      // For small pictures they are requested when the Look view opens.
      ...(!decoded && { logprobs: RIVALS }),
    },
    retryPolicy,
    {
      queued: (position) => {
        if (position > 0) stage.wait(`${position} ahead in the queue…`);
      },
      started: (started, known) => stage.begin(started, known, settings.prompt),
      row: (index, row, known) => {
        const canvas = stage.canvases[index];
        stage.mark();
        onRow?.();
        if (canvas === undefined) return;
        if (row.preview) {
          void canvas.showRows(blobOf(row.preview), row.index + 1);
        } else {
          canvas.addRow(row.index, row.codes);
          if (!decoded) void previews.offer(known, canvas);
        }
      },
    },
    before,
  );
  const drawn = { ...settings, seed: completed.seed };
  const pictures = completed.images.map((image, i) => {
    const known = rows[i];
    const grid = known && {
      height: known.height,
      width: known.width,
      codes: known.codes,
    };
    return {
      ...drawnNow(drawn, i),
      file: blobOf(image),
      model: completed.model,
      ...(grid && { grid }),
      ...(known?.scores && { scores: known.scores }),
    };
  });
  const seconds = (performance.now() - begun) / 1000;
  return { pictures, facts: factsOf(completed, seconds) };
}

/**
 * Decodes an interrupted drawing into a picture.
 *
 * @param {Settings} settings
 * @param {import("./drawing.js").Known} known Rows so far, at least one.
 * @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
export async function unfinishedPicture(settings, { seed, rows }, signal) {
  const [first] = rows;
  if (first === undefined) throw new TypeError("there is no row");
  const { width, count: height, scores } = first;
  const codes = first.codes.slice(0, height * width);
  const drawn = { ...settings, ...(seed !== undefined && { seed }) };
  if (first.frameHeight < first.height) {
    const { unfinishedClip } = await import("../clips/open_clip.js");
    return await unfinishedClip(drawn, first, signal);
  }
  const picture = await pictureOfCodes(drawn, { height, width, codes }, signal);
  return {
    ...picture,
    title: `${settings.prompt} (${height} of ${first.height} rows)`,
    wholeHeight: first.height,
    ...(scores && { scores: firstCells(scores, height * width) }),
  };
}

/**
 * Decodes codes into a picture.
 *
 * @param {Settings} settings Settings of its drawing.
 * @param {NonNullable<Picture["grid"]>} grid
 * @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
export async function pictureOfCodes(settings, grid, signal) {
  const body = { grid: wireGrid(grid, grid.height) };
  const answer = await post("/v1/detokenize", body, {
    accept: "image/png",
    signal,
  });
  return { ...drawnNow(settings, 0), file: await answer.blob(), grid };
}

/**
 * Returns what a new picture of these settings has apart from its file.
 *
 * @param {Settings} settings
 * @param {number} imageIndex
 */
export function drawnNow(settings, imageIndex) {
  return {
    id: pictureId(),
    createdAt: Date.now(),
    title: settings.prompt,
    settings,
    imageIndex,
  };
}

/**
 * Describes a drawing in a line.
 *
 * @param {import("./drawing.js").Completed} completed
 * @param {number} passed Seconds from the request to the last event.
 */
export function factsOf(
  { model, seed, images, clips, usage, timings, lossless },
  passed,
) {
  const [clip] = clips ?? [];
  const image = clip ?? images[0];
  const seconds = (timings["decode_s"] ?? 0) + (timings["prefill_s"] ?? 0);
  return [
    model,
    `seed ${seed}`,
    clip && `${clip.frames} frames`,
    image && `${image.width} × ${image.height} pixels`,
    `${usage.image_tokens} tokens in ${secondsText(seconds)}`,
    `${secondsText(passed)} in total`,
    lossless ? undefined : "approximate strategy",
  ].filter(Boolean).join(" · ");
}

/**
 * @param {URLSearchParams} params Settings of a link, maybe with codes.
 * @param {AbortSignal} signal
 * @returns {Promise<readonly import("../shell/shell.js").Picture[]>} Pictures
 *   decoded from the link's codes or found in the history; empty if they have
 *   to be drawn.
 */
export async function picturesOf(params, signal) {
  const { settings, grid } = linkFromParams(params) ?? {};
  if (settings === undefined) return [];
  if (grid?.frames !== undefined) {
    const { clipOfLink } = await import("../clips/open_clip.js");
    return [await clipOfLink(settings, grid, signal)];
  }
  if (grid !== undefined) return [await pictureOfCodes(settings, grid, signal)];
  if (settings.seed === undefined) return [];
  return await new HistoryStore().drawnBy(settings).catch(() => []);
}
